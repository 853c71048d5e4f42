/*
 * memory.c: the heap of the simulated device.
 *
 * XS keeps its data in three places: a stack of slots, a heap of slots (16 bytes each on 32-bit
 * machines, 32 on 64-bit ones) and a heap of chunks (strings, buffers, everything of variable size).
 * Here all three share one block of memory:
 *
 *   bottom            chunks                        slots             top
 *     | chunks, growing >|          free              |< slots | stack |
 *
 * The heap is full when the two ends would meet. So the limit is a single number that XS cannot
 * exceed, and the growth of the heap does not depend on malloc: all figures are reproducible.
 *
 * On the chip XS takes its chunks with malloc. Its blocks never touch there, and XS does not merge them:
 * a gap between them does the same here.
 *
 * XS collects garbage before it asks for more memory. If the answer is NULL, it retries with a smaller
 * size where possible, else calls fxAbort (errors.c), which must not return.
 */

#include "memory.h"
#include "output.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifdef __SANITIZE_ADDRESS__
/* AddressSanitizer does not search mmap'ed memory for pointers, so it would report what XS references as
   leaked. XS measures its C stack by addresses of local variables, so these must be on the real stack. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:detect_stack_use_after_return=0";
}
#endif

enum { STACK_PAINT = 0xA5 };
/* Between two blocks of chunks, in bytes: at least the header of malloc. */
enum { BLOCK_GAP = 16 };

static char *stackStart;       /* approximate start of the C stack */

void heapCreate(Heap *heap, const char *name, size_t size)
{
    /* XS adds sizes of up to 2 GB to addresses, which must not overflow with 32-bit pointers: there,
       place the heap in the lower half of the address space. On an ESP32 it is there. */
    static uintptr_t place = UINTPTR_MAX == UINT32_MAX ? 0x50000000 : 0;

    memset(heap, 0, sizeof(*heap));
    heap->name = name;
    heap->size = (size + 15) & ~(size_t)15;
    /* Untouched pages use no memory. */
    heap->bottom = mmap((void *)place, heap->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (place)
        place += (heap->size + 0xFFFFF) & ~(size_t)0xFFFFF;
    if (heap->bottom == MAP_FAILED)
        hostFail(EXIT_MEMORY, "This computer cannot allocate %zu bytes for the %s.", heap->size, name);
    heap->chunks = heap->bottom;
    heap->slots = heap->top = heap->bottom + heap->size;
    if (!stackStart)
        stackStart = (char *)__builtin_frame_address(0);
}

static Heap *protectedHeap;
static struct sigaction formerSegv, formerBus;

static void reportFault(int signal, siginfo_t *info, void *context)
{
    static const char message[] = "The program wrote to flash, which is read-only.\n";
    const txByte *address = info->si_addr;
    (void)context;
    if (protectedHeap->bottom <= address && address < protectedHeap->top) {
        hostWrite(STDERR_FILENO, message, sizeof(message) - 1);
        _exit(EXIT_SOFTWARE);
    }
    /* Another fault: restore the former handler and let it happen again. */
    sigaction(signal, signal == SIGSEGV ? &formerSegv : &formerBus, NULL);
}

void heapProtect(Heap *heap)
{
    struct sigaction action;
    if (mprotect(heap->bottom, heap->size, PROT_READ) < 0)
        return;
    protectedHeap = heap;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = reportFault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &formerSegv);
    sigaction(SIGBUS, &action, &formerBus);
}

Heap *heapOf(txMachine *the)
{
    return the->context;
}

static bool heapRefuses(Heap *heap, size_t size, const char *what)
{
    if (size <= (size_t)(heap->slots - heap->chunks))
        return false;
    heap->refusedBytes = size;
    heap->refusedWhat = what;
    return true;
}

void *fxAllocateChunks(txMachine *the, txSize size)
{
    Heap *heap = heapOf(the);
    size_t gap = the->firstBlock ? BLOCK_GAP : 0;
    txByte *result = heap->chunks + gap;
    if (heapRefuses(heap, (size_t)size + gap, "chunks"))
        return NULL;
    heap->chunks = result + size;
    heap->refusedBytes = 0;
    return result;
}

txSlot *fxAllocateSlots(txMachine *the, txSize count)
{
    Heap *heap = heapOf(the);
    size_t size = (size_t)count * sizeof(txSlot);
    if (heapRefuses(heap, size, "slots"))
        return NULL;
    heap->slots -= size;
    heap->refusedBytes = 0;
    /* The first slots that XS allocates become its stack. Fill it with a pattern, from which heapUsage
       can tell its maximum depth. */
    if (!the->stackBottom)
        memset(heap->slots, STACK_PAINT, size);
    return (txSlot *)heap->slots;
}

void fxFreeChunks(txMachine *the, void *chunks)
{
    (void)the, (void)chunks;   /* XS frees memory only when a machine is deleted */
}

void fxFreeSlots(txMachine *the, void *slots)
{
    (void)the, (void)slots;
}

/* The lowest address that the C stack may reach; XS checks it in every recursive function. Linux and
   macOS report the size of the stack as a resource limit. */
char *fxCStackLimit(void)
{
    const size_t usual = 8 << 20, reserve = 256 << 10;
    struct rlimit limit;
    size_t size = usual;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < usual)
        size = (size_t)limit.rlim_cur;
    return stackStart - size + (size > 2 * reserve ? reserve : size / 2);
}

/* The stack grows downward from stackTop; its peak ends at the first slot that still has the pattern.
   Not at the last one: XS uses the free end of the stack as scratch memory for numbers and regular
   expressions. */
static size_t stackPeak(txMachine *the)
{
    const txSlot *slot = the->stackTop;
    while (slot > the->stackBottom) {
        const txU1 *bytes = (const txU1 *)(slot - 1);
        if (bytes[0] == STACK_PAINT && memcmp(bytes, bytes + 1, sizeof(txSlot) - 1) == 0)
            break;
        slot--;
    }
    return (size_t)(the->stackTop - slot) * sizeof(txSlot);
}

void heapUsage(txMachine *the, Usage *usage)
{
    Heap *heap = heapOf(the);
    usage->slots = (size_t)the->peakHeapCount * sizeof(txSlot);
    usage->chunks = (size_t)the->peakChunksSize;
    usage->stack = stackPeak(the);
    usage->usedSlots = (size_t)the->currentHeapCount * sizeof(txSlot);
    usage->usedChunks = (size_t)the->currentChunksSize;
    usage->reserved = (size_t)(heap->chunks - heap->bottom) + (size_t)(heap->top - heap->slots);
}
