/*
 * natives.c: the C functions that the bundle can call. native("gpt_xs_name") finds them by their name in C, as
 * `native` does in the Moddable SDK: see src/gpt/native.
 */

#include "natives.h"
#include "output.h"
#include "values.h"
#include "words.h"

#define NATIVES(_) \
    _(gpt_xs_zero) \
    _(gpt_xs_are_finite) \
    _(gpt_xs_embedding_forward) \
    _(gpt_xs_embedding_backward) \
    _(gpt_xs_rms_norm_forward) \
    _(gpt_xs_rms_norm_backward) \
    _(gpt_xs_linear_forward) \
    _(gpt_xs_linear_residual_forward) \
    _(gpt_xs_linear_backward) \
    _(gpt_xs_qkv_forward) \
    _(gpt_xs_qkv_backward) \
    _(gpt_xs_attention_forward) \
    _(gpt_xs_attention_backward) \
    _(gpt_xs_mlp_forward) \
    _(gpt_xs_mlp_backward) \
    _(gpt_xs_softmax_cross_entropy) \
    _(gpt_xs_adam) \
    _(gpt_xs_can_update) \
    _(gpt_xs_decode_moments) \
    _(gpt_xs_encode_moments) \
    _(gpt_xs_i32_zero) \
    _(gpt_xs_i32_embedding_forward) \
    _(gpt_xs_i32_embedding_backward) \
    _(gpt_xs_i32_rms_norm_forward) \
    _(gpt_xs_i32_rms_norm_backward) \
    _(gpt_xs_i32_linear_forward) \
    _(gpt_xs_i32_linear_residual_forward) \
    _(gpt_xs_i32_linear_backward) \
    _(gpt_xs_i32_qkv_forward) \
    _(gpt_xs_i32_qkv_backward) \
    _(gpt_xs_i32_attention_forward) \
    _(gpt_xs_i32_attention_backward) \
    _(gpt_xs_i32_mlp_forward) \
    _(gpt_xs_i32_mlp_backward) \
    _(gpt_xs_i32_softmax_cross_entropy) \
    _(gpt_xs_i32_adam) \
    _(gpt_xs_i32_can_update) \
    _(gpt_xs_i32_decode) \
    _(gpt_xs_i32_encode) \
    _(gpt_xs_scan) \
    _(gpt_xs_skip) \
    _(gpt_xs_encode) \
    _(gpt_xs_crc32) \
    _(gpt_xs_encode_utf8) \
    _(gpt_xs_has_fpu) \
    _(gpt_xs_pow)

#define DECLARE(NAME) extern void NAME(txMachine *the);
#define LIST(NAME) { #NAME, NAME },

NATIVES(DECLARE)

static const struct {
    const char *name;
    txCallback callback;
} natives[] = { NATIVES(LIST) { NULL, NULL } };

static txSlot *nativeFunctions;    /* one per entry of natives, in flash */

/* native(name): the C function with this name. */
static void xs_native(txMachine *the)
{
    const char *name = fxToString(the, argument(the, 0));
    size_t i;
    for (i = 0; natives[i].name; i++) {
        if (strcmp(natives[i].name, name) == 0) {
            mxResult->kind = nativeFunctions[i].kind;
            mxResult->value = nativeFunctions[i].value;
            return;
        }
    }
    xsTypeError("there is no native function %s", printable(name, QUOTED));
}

void nativesInstall(txMachine *the)
{
    size_t count = 0, i;
    while (natives[count].name)
        count++;
    nativeFunctions = hostAllocate(count * sizeof(txSlot));
    for (i = 0; i < count; i++) {
        fxNewHostFunction(the, natives[i].callback, 0, propertyID(the, natives[i].name), XS_NO_ID);
        nativeFunctions[i] = *the->stack;
        xsRemember(nativeFunctions[i]);
        mxPop();
    }
    bindFunction(the, &mxGlobal, "native", xs_native, 1);
}
