/*
 * natives.c: the C functions that the bundle can call. native("xs_name") finds them by the name that
 * they have in C, as `native` does in the Moddable SDK: see src/moddable/ops.
 */

#include "host.h"

#define NATIVES(_) \
    _(xs_gpt_zero) \
    _(xs_gpt_embedding_forward) \
    _(xs_gpt_embedding_backward) \
    _(xs_gpt_rms_norm_forward) \
    _(xs_gpt_rms_norm_backward) \
    _(xs_gpt_linear_forward) \
    _(xs_gpt_linear_residual_forward) \
    _(xs_gpt_linear_backward) \
    _(xs_gpt_qkv_forward) \
    _(xs_gpt_qkv_backward) \
    _(xs_gpt_attention_forward) \
    _(xs_gpt_attention_backward) \
    _(xs_gpt_mlp_forward) \
    _(xs_gpt_mlp_backward) \
    _(xs_gpt_softmax_cross_entropy) \
    _(xs_gpt_adam) \
    _(xs_gpt_skip_lines)

#define DECLARE(NAME) extern void NAME(txMachine *the);
#define LIST(NAME) { #NAME, NAME },

NATIVES(DECLARE)

const Native natives[] = {
    NATIVES(LIST)
    { NULL, NULL }
};
