/* Loops that numpy has no fast form of: the uncertainties and the likeliest classes of many class distributions,
 * the sorting of many integers, and the longest of many texts. `labelnext.support.loops` calls them; where no compiler
 * was at hand, numpy does the same, or Python.
 *
 * The terms of a score are added in an order that depends on the number of classes alone, and the build fuses no
 * product with a sum: a row has the same digits wherever it is and whatever the processor.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef BY_PROCESSOR /* one copy for each kind of processor; the system picks one at the start */
#define EXPORTED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EXPORTED
#endif
#define INLINE static inline __attribute__((always_inline))

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE __builtin_shufflevector
#endif
#endif

const char loops_fingerprint[] = FINGERPRINT; /* of the sources; the build defines it */

#include "sorting.h"

#define SHORT 96     /* rows of fewer classes are turned: there is nothing to join */
#define LINE 64      /* bytes that memory gives at a time */
#define AHEAD 8192   /* bytes; half and twice as many are as good (measured) */
#define NOISE 0.9e-5 /* rows whose sums are further from 1 are looked at again */

/* Asks memory for what comes AHEAD bytes behind some values: by itself, a processor looks no further than a page. */
INLINE void fetch_ahead(const void *values, ptrdiff_t size)
{
    for (ptrdiff_t at = 0; at < size; at += LINE)
        __builtin_prefetch((const char *)values + at + AHEAD);
}

/* The exponent e of m · 2^e, √½ ≤ m < √2, from its bits less those of √½. */
INLINE float exponent_float(uint32_t above)
{
    return (float)((int32_t)above >> 23);
}

/* As above. Few processors shift signed integers of 64 bits or make numbers of them, so the exponent + 1024 becomes
 * the last digits of 1.5 · 2^52. */
INLINE double exponent_double(uint64_t above)
{
    uint64_t bits = 0x4338000000000000 + ((above + ((uint64_t)1024 << 52)) >> 52);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number - (6755399441055744.0 + 1024);
}

#define NAME(name) name##_float
#define REAL float
#define INTEGER int32_t
#define UNSIGNED uint32_t
#define LANES 32
#define MANTISSA 23
#define TERMS 5
#define TINY 1.17549435e-38f
#define ROOT_OF_HALF 0x3f3504f3 /* its bits */
#include "uncertainties.h"

#define NAME(name) name##_double
#define REAL double
#define INTEGER int64_t
#define UNSIGNED uint64_t
#define LANES 16
#define MANTISSA 52
#define TERMS 10
#define TINY 2.2250738585072014e-308
#define ROOT_OF_HALF 0x3fe6a09e667f3bcd
#include "uncertainties.h"

/* The bytes of the longest of texts that stand one behind the other, each behind its length in four bytes, the lowest
 * first; −1 if the last one isn't whole. */
ptrdiff_t longest_text(const uint8_t *texts, ptrdiff_t n)
{
    int64_t at = 0, longest = 0;
    while (at + 4 <= n) {
        int64_t length = texts[at] | texts[at + 1] << 8 | texts[at + 2] << 16 | (int64_t)texts[at + 3] << 24;
        longest = length > longest ? length : longest;
        at += 4 + length;
    }
    return at == n ? longest : -1;
}
