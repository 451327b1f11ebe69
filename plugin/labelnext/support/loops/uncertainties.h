/* Uncertainties and likeliest classes of the rows of an array; included once for each type of numbers. */

typedef struct {
    REAL *least_confidence, *margin, *variance, *entropy; /* NULL: not wanted */
} NAME(scores);

typedef struct {
    REAL sum[LANES], first[LANES], second[LANES], squares[LANES], nats[LANES];
    INTEGER signs[LANES]; /* below 0 if a value was */
} NAME(lanes);

/* ln x of a normal x: of x = 2^e m with √½ ≤ m < √2 it is e ln 2 + 2 artanh((m − 1) / (m + 1)). */
INLINE REAL NAME(logarithm)(REAL x)
{
    UNSIGNED bits, above;
    REAL m;
    memcpy(&bits, &x, sizeof bits);
    above = bits - ROOT_OF_HALF;
    bits -= above >> MANTISSA << MANTISSA;
    memcpy(&m, &bits, sizeof m);
    REAL s = (m - 1) / (m + 1), z = s * s, series = (REAL)2 / (2 * TERMS - 1);
    for (int term = TERMS - 2; term >= 0; term--)
        series = series * z + (REAL)2 / (2 * term + 1);
    return NAME(exponent)(above) * (REAL)0.693147180559945309417 + s * series;
}

/* What each lane sees of values and, unless it is NULL, of one step more. Without more, lanes are rows, and in the
 * cache; with more, they are parts of one row. */
INLINE void NAME(scan)(NAME(lanes) *seen, const REAL *values, ptrdiff_t steps, const REAL *more, int with_second)
{
    REAL sum[LANES] = {0}, first[LANES] = {0}, second[LANES] = {0};
    INTEGER signs[LANES] = {0};
    for (; values; values = more, steps = 1, more = NULL)
        for (ptrdiff_t j = 0; j < steps; j++) {
            if (more)
                fetch_ahead(values + j * LANES, LANES * sizeof(REAL));
            for (int i = 0; i < LANES; i++) {
                REAL x = values[j * LANES + i];
                INTEGER bits;
                memcpy(&bits, &x, sizeof bits);
                signs[i] |= bits;
                sum[i] += x;
                if (with_second) {
                    REAL lesser = x < first[i] ? x : first[i];
                    second[i] = lesser > second[i] ? lesser : second[i];
                }
                first[i] = x > first[i] ? x : first[i];
            }
        }
    memcpy(seen->sum, sum, sizeof sum);
    memcpy(seen->first, first, sizeof first);
    memcpy(seen->signs, signs, sizeof signs);
    if (with_second)
        memcpy(seen->second, second, sizeof second);
}

/* The sum of −x ln x. */
INLINE void NAME(scan_nats)(NAME(lanes) *seen, const REAL *values, ptrdiff_t steps, const REAL *more)
{
    REAL nats[LANES] = {0};
    for (; values; values = more, steps = 1, more = NULL)
        for (ptrdiff_t j = 0; j < steps; j++)
            for (int i = 0; i < LANES; i++) {
                REAL x = values[j * LANES + i];
                nats[i] -= x * NAME(logarithm)(x + (REAL)TINY); /* of 0, a finite logarithm */
            }
    memcpy(seen->nats, nats, sizeof nats);
}

/* The sum of squared distances from the mean of the lane. */
INLINE void NAME(scan_squares)(NAME(lanes) *seen, const REAL *values, ptrdiff_t steps, const REAL *more,
                               const REAL *means)
{
    REAL squares[LANES] = {0};
    for (; values; values = more, steps = 1, more = NULL)
        for (ptrdiff_t j = 0; j < steps; j++)
            for (int i = 0; i < LANES; i++) {
                REAL deviation = values[j * LANES + i] - means[i];
                squares[i] += deviation * deviation;
            }
    memcpy(seen->squares, squares, sizeof squares);
}

/* All that the wanted scores need, but for the squares. */
INLINE void NAME(scan_for)(NAME(scores) to, NAME(lanes) *seen, const REAL *values, ptrdiff_t steps,
                           const REAL *more)
{
    if (to.margin)
        NAME(scan)(seen, values, steps, more, 1);
    else
        NAME(scan)(seen, values, steps, more, 0);
    if (to.entropy)
        NAME(scan_nats)(seen, values, steps, more);
}

/* One row of what the lanes saw, in lane 0, as far as it is wanted. */
INLINE void NAME(join)(NAME(scores) to, NAME(lanes) *s)
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) {
            int other = i + half;
            REAL one = s->first[i], two = s->first[other];
            if (to.margin) {
                REAL lesser = one < two ? one : two;
                REAL second = s->second[i] > s->second[other] ? s->second[i] : s->second[other];
                s->second[i] = lesser > second ? lesser : second;
            }
            s->first[i] = one > two ? one : two;
            s->signs[i] |= s->signs[other];
            s->sum[i] += s->sum[other];
            if (to.entropy)
                s->nats[i] += s->nats[other];
        }
}

/* Writes the scores of the first n lanes; returns whether their rows are distributions. */
INLINE int NAME(write)(const NAME(lanes) *s, ptrdiff_t c, NAME(scores) to, ptrdiff_t row, ptrdiff_t n)
{
    REAL result[LANES];
    int clean = 1;
    for (int i = 0; i < n; i++)
        clean &= (s->signs[i] >= 0) & (s->sum[i] >= 1 - (REAL)NOISE) & (s->sum[i] <= 1 + (REAL)NOISE);
    if (to.least_confidence) {
        for (int i = 0; i < LANES; i++) /* x − x is 0, or NaN in rows with NaN */
            result[i] = 1 - (s->first[i] < 1 ? s->first[i] : 1) + (s->sum[i] - s->sum[i]);
        memcpy(to.least_confidence + row, result, n * sizeof(REAL));
    }
    if (to.margin) {
        for (int i = 0; i < LANES; i++)
            result[i] = s->first[i] - s->second[i] + (s->sum[i] - s->sum[i]);
        memcpy(to.margin + row, result, n * sizeof(REAL));
    }
    if (to.variance) {
        for (int i = 0; i < LANES; i++)
            result[i] = s->squares[i] / c;
        memcpy(to.variance + row, result, n * sizeof(REAL));
    }
    if (to.entropy) {
        for (int i = 0; i < LANES; i++)
            result[i] = (s->nats[i] > 0 ? s->nats[i] : 0) + (s->sum[i] - s->sum[i]);
        memcpy(to.entropy + row, result, n * sizeof(REAL));
    }
    return clean;
}

/* Four numbers wherever they are. */
typedef REAL NAME(four) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

/* Turns four rows of four numbers, `from` apart, into four rows LANES apart. */
INLINE void NAME(turn)(const REAL *rows, ptrdiff_t from, REAL *turned)
{
#ifdef SHUFFLE
    NAME(four) a = *(const NAME(four) *)rows, b = *(const NAME(four) *)(rows + from);
    NAME(four) c = *(const NAME(four) *)(rows + 2 * from), d = *(const NAME(four) *)(rows + 3 * from);
    NAME(four) ac = SHUFFLE(a, c, 0, 4, 1, 5), bd = SHUFFLE(b, d, 0, 4, 1, 5);
    *(NAME(four) *)turned = SHUFFLE(ac, bd, 0, 4, 1, 5);
    *(NAME(four) *)(turned + LANES) = SHUFFLE(ac, bd, 2, 6, 3, 7);
    ac = SHUFFLE(a, c, 2, 6, 3, 7), bd = SHUFFLE(b, d, 2, 6, 3, 7);
    *(NAME(four) *)(turned + 2 * LANES) = SHUFFLE(ac, bd, 0, 4, 1, 5);
    *(NAME(four) *)(turned + 3 * LANES) = SHUFFLE(ac, bd, 2, 6, 3, 7);
#else
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            turned[j * LANES + i] = rows[i * from + j];
#endif
}

/* Turns up to LANES rows of few classes, so that each lane is a row. */
INLINE void NAME(turn_block)(const REAL *rows, ptrdiff_t c, ptrdiff_t n, REAL *turned)
{
    if (n == LANES && c >= 4) {
        for (ptrdiff_t j = 0; j < c; j += 4) {
            ptrdiff_t first = j < c - 4 ? j : c - 4; /* the last four overlap those before */
            for (ptrdiff_t i = 0; i < LANES; i += 4)
                NAME(turn)(rows + i * c + first, c, turned + first * LANES + i);
        }
    } else {
        if (n < LANES)
            memset(turned, 0, SHORT * LANES * sizeof(REAL));
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t j = 0; j < c; j++)
                turned[j * LANES + i] = rows[i * c + j];
    }
}

/* Up to LANES rows of few classes. */
INLINE int NAME(short_block)(const REAL *rows, ptrdiff_t c, NAME(scores) to, ptrdiff_t row, ptrdiff_t n)
{
    REAL turned[SHORT * LANES], means[LANES];
    fetch_ahead(rows, n * c * sizeof(REAL));
    NAME(turn_block)(rows, c, n, turned);
    NAME(lanes) seen;
    NAME(scan_for)(to, &seen, turned, c, NULL);
    if (to.variance) {
        for (int i = 0; i < LANES; i++)
            means[i] = seen.sum[i] / c;
        NAME(scan_squares)(&seen, turned, c, NULL, means);
    }
    return NAME(write)(&seen, c, to, row, n);
}

INLINE int NAME(short_rows)(const REAL *rows, ptrdiff_t n, ptrdiff_t c, NAME(scores) to)
{
    int clean = 1;
    ptrdiff_t row = 0;
    for (; row + LANES <= n; row += LANES)
        clean &= NAME(short_block)(rows + row * c, c, to, row, LANES);
    if (row < n)
        clean &= NAME(short_block)(rows + row * c, c, to, row, n - row);
    return clean;
}

/* Copies n values, fewer than LANES, and zeros behind them; faster if LANES values may be read. */
INLINE void NAME(take)(const REAL *values, ptrdiff_t n, int more, REAL *taken)
{
    if (more)
        for (int i = 0; i < LANES; i++) {
            REAL x = values[i];
            taken[i] = i < n ? x : 0;
        }
    else
        for (int i = 0; i < LANES; i++)
            taken[i] = i < n ? values[i] : 0;
}

/* Rows of many classes: each lane is every LANES-th class of one row. */
INLINE int NAME(long_rows)(const REAL *rows, ptrdiff_t n, ptrdiff_t c, NAME(scores) to)
{
    ptrdiff_t steps = c / LANES, rest = c % LANES;
    int clean = 1;
    for (ptrdiff_t row = 0; row < n; row++, rows += c) {
        REAL tail[LANES], means[LANES];
        NAME(take)(rows + steps * LANES, rest, row < n - 1, tail);
        NAME(lanes) seen;
        NAME(scan_for)(to, &seen, rows, steps, tail);
        NAME(join)(to, &seen);
        if (to.variance) {
            REAL mean = seen.sum[0] / c;
            for (int i = 0; i < LANES; i++) {
                means[i] = mean;
                tail[i] = i < rest ? tail[i] : mean;
            }
            NAME(scan_squares)(&seen, rows, steps, tail, means);
            for (int i = 1; i < LANES; i++)
                seen.squares[0] += seen.squares[i];
        }
        clean &= NAME(write)(&seen, c, to, row, 1);
    }
    return clean;
}

/* Scores of rows in C order; returns whether all are distributions. */
EXPORTED
int NAME(uncertainties)(const REAL *rows, ptrdiff_t n, ptrdiff_t c, REAL *least_confidence, REAL *margin,
                        REAL *variance, REAL *entropy)
{
    NAME(scores) to = {least_confidence, margin, variance, entropy};
    if (c < SHORT)
        return NAME(short_rows)(rows, n, c, to);
    if (!margin && !variance && !entropy) { /* a tenth faster: what isn't wanted is compiled away */
        NAME(scores) alone = {least_confidence, NULL, NULL, NULL};
        return NAME(long_rows)(rows, n, c, alone);
    }
    return NAME(long_rows)(rows, n, c, to);
}

/* The first of the likeliest classes of each row of few classes; −1 where a number is none. */
EXPORTED
void NAME(likeliest)(const REAL *rows, ptrdiff_t n, ptrdiff_t c, int64_t *classes)
{
    for (ptrdiff_t row = 0; row < n; row += LANES) {
        ptrdiff_t here = n - row < LANES ? n - row : LANES;
        REAL turned[SHORT * LANES], best[LANES];
        INTEGER place[LANES] = {0}, none[LANES] = {0};
        NAME(turn_block)(rows + row * c, c, here, turned);
        memcpy(best, turned, sizeof best);
        for (ptrdiff_t j = 0; j < c; j++)
            for (int i = 0; i < LANES; i++) {
                REAL x = turned[j * LANES + i];
                none[i] |= x != x;
                place[i] = x > best[i] ? (INTEGER)j : place[i];
                best[i] = x > best[i] ? x : best[i];
            }
        for (ptrdiff_t i = 0; i < here; i++)
            classes[row + i] = none[i] ? -1 : place[i];
    }
}

#undef NAME
#undef REAL
#undef INTEGER
#undef UNSIGNED
#undef LANES
#undef MANTISSA
#undef TERMS
#undef TINY
#undef ROOT_OF_HALF
