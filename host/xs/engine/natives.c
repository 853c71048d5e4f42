/*
 * natives.c: the C functions that the bundle can call. native("xs_name") finds them by the name that
 * they have in C, as `native` does in the Moddable SDK: see src/moddable/ops.
 */

#include "natives.h"
#include "output.h"
#include "values.h"
#include "words.h"

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
    _(xs_gpt_scan) \
    _(xs_gpt_skip) \
    _(xs_gpt_encode) \
    _(xs_gpt_crc32)

#define DECLARE(NAME) extern void NAME(txMachine *the);
#define LIST(NAME) { #NAME, NAME },

NATIVES(DECLARE)

static const struct {
    const char *name;
    txCallback callback;
} natives[] = {
    NATIVES(LIST)
    { NULL, NULL }
};

static txSlot *nativeFunctions;    /* one for each entry of natives, in flash */

/* native(name): the C function that is registered under this name. */
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
