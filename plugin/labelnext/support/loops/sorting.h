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

/* Moves keys to `other` by a digit of what they are above the lowest, and tells where its parts start. Returns how
 * many they are; 0, with nothing moved, if all keys are the same. */
static ptrdiff_t split(const int64_t *keys, int64_t *other, ptrdiff_t n, ptrdiff_t *starts)
{
    int64_t lowest = keys[0], highest = keys[0];
    for (ptrdiff_t i = 1; i < n; i++) {
        lowest = keys[i] < lowest ? keys[i] : lowest;
        highest = keys[i] > highest ? keys[i] : highest;
    }
    if (lowest == highest)
        return 0;
    uint64_t low = lowest, high = highest;
    int digit = bits_of(n) - 3; /* about four keys a part, where they are spread evenly */
    digit = digit > DIGIT ? DIGIT : digit;
    int shift = bits_of(high - low) - digit;
    shift = shift < 0 ? 0 : shift;

    ptrdiff_t ends[1 << DIGIT], n_parts = (ptrdiff_t)((high - low) >> shift) + 1;
    memset(starts, 0, (n_parts + 1) * sizeof *starts);
    for (ptrdiff_t i = 0; i < n; i++)
        starts[(((uint64_t)keys[i] - low) >> shift) + 1]++;
    for (ptrdiff_t part = 1; part <= n_parts; part++)
        starts[part] += starts[part - 1];
    memcpy(ends, starts, n_parts * sizeof *ends);
    for (ptrdiff_t i = 0; i < n; i++)
        other[ends[((uint64_t)keys[i] - low) >> shift]++] = keys[i];
    return n_parts;
}

static void sort_parts(int64_t *keys, int64_t *other, const ptrdiff_t *starts, ptrdiff_t n_parts, int stay);

/* Sorts keys by a digit, then each part. They end in `keys` if they stay, else in `other`, which is as long. */
static void sort_part(int64_t *keys, int64_t *other, ptrdiff_t n, int stay)
{
    ptrdiff_t starts[(1 << DIGIT) + 1], n_parts = n > FEW ? split(keys, other, n, starts) : 0;
    if (n_parts) {
        sort_parts(other, keys, starts, n_parts, !stay);
        return;
    }
    if (n <= FEW)
        insert(keys, n);
    if (!stay)
        memcpy(other, keys, n * sizeof *keys);
}

static void sort_parts(int64_t *keys, int64_t *other, const ptrdiff_t *starts, ptrdiff_t n_parts, int stay)
{
    for (ptrdiff_t part = 0; part < n_parts; part++)
        if (starts[part + 1] > starts[part])
            sort_part(keys + starts[part], other + starts[part], starts[part + 1] - starts[part], stay);
}

/* Moves keys to `other`, which is as long, in parts to be sorted. Returns how many they are, at most 1024, whose
 * starts and whose end it tells; 0, with nothing moved, if all keys are the same. */
ptrdiff_t split_integers(const int64_t *keys, int64_t *other, ptrdiff_t n, ptrdiff_t *starts)
{
    return split(keys, other, n, starts);
}

/* Moves so many parts back to `keys`, each sorted, smallest first. */
void sort_integers(int64_t *keys, int64_t *other, const ptrdiff_t *starts, ptrdiff_t n_parts)
{
    sort_parts(other, keys, starts, n_parts, 0);
}
