/* Sorting of integers by their leading digits. */

#define DIGIT 10 /* most bits of a digit: its parts are written side by side */
#define FEW 16   /* integers that are sorted by insertion */

static void insert(int64_t *keys, ptrdiff_t n)
{
    for (ptrdiff_t i = 1; i < n; i++) {
        int64_t key = keys[i];
        ptrdiff_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static int bits_of(uint64_t x)
{
    return x ? 64 - __builtin_clzll(x) : 0;
}

/* Sorts keys from the lowest to the highest of them by a digit, then each part. They end in `keys` if they stay,
 * else in `other`, which is as long. */
static void sort_part(int64_t *keys, int64_t *other, ptrdiff_t n, int stay)
{
    uint64_t low = INT64_MAX, high = 0;
    if (n > FEW) {
        int64_t lowest = keys[0], highest = keys[0];
        for (ptrdiff_t i = 1; i < n; i++) {
            lowest = keys[i] < lowest ? keys[i] : lowest;
            highest = keys[i] > highest ? keys[i] : highest;
        }
        low = lowest, high = highest;
    }
    if (n <= FEW || low == high) {
        if (n <= FEW)
            insert(keys, n);
        if (!stay)
            memcpy(other, keys, n * sizeof *keys);
        return;
    }
    int digit = bits_of(n) - 3; /* about four keys a part, where they are spread evenly */
    digit = digit > DIGIT ? DIGIT : digit;
    int shift = bits_of(high - low) - digit;
    shift = shift < 0 ? 0 : shift;

    ptrdiff_t starts[(1 << DIGIT) + 1], ends[1 << DIGIT];
    ptrdiff_t n_parts = (ptrdiff_t)((high - low) >> shift) + 1;
    memset(starts, 0, (n_parts + 1) * sizeof *starts);
    for (ptrdiff_t i = 0; i < n; i++)
        starts[(((uint64_t)keys[i] - low) >> shift) + 1]++;
    for (ptrdiff_t part = 1; part <= n_parts; part++)
        starts[part] += starts[part - 1];
    memcpy(ends, starts, n_parts * sizeof *ends);
    for (ptrdiff_t i = 0; i < n; i++)
        other[ends[((uint64_t)keys[i] - low) >> shift]++] = keys[i];
    for (ptrdiff_t part = 0; part < n_parts; part++)
        if (ends[part] > starts[part])
            sort_part(other + starts[part], keys + starts[part], ends[part] - starts[part], !stay);
}

/* Sorts keys, smallest first; `other` is as long, and its content is lost. */
void sort_integers(int64_t *keys, int64_t *other, ptrdiff_t n)
{
    sort_part(keys, other, n, 1);
}
