/* A minimal engine in C: relu in float32, forward. It shows what an engine in any language has to do, which PROTOCOL.md
 * tells in words.
 *
 *   cc -O2 -o relu-engine Benchmarks/engines/example.c $(pkg-config --cflags --libs hdf5)
 *   assay verify --engine relu-c=./relu-engine --filter 'relu*' --dtype float32
 *
 * One JSON object a line on stdin, one reply a line on stdout. The requests are Assay's own, so looking for a key is
 * parsing enough; an engine that serves others as well should use a JSON library. */
#include <hdf5.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM 4096
#define SETS 64
#define HANDLES 64
#define VISITS 4096 /* of one slice: sets may be named again and again */

/* Where the value of "key" starts; NULL where it is not there. */
static const char *find(const char *line, const char *key)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\"", key);
    for (const char *at = strstr(line, pattern); at != NULL; at = strstr(at + 1, pattern)) {
        const char *value = at + strlen(pattern);
        value += strspn(value, " ");
        if (*value == ':') return value + 1 + strspn(value + 1, " ");
    }
    return NULL;
}

/* The value of "key" as text: a string's characters, or the number. */
static int value_of(const char *line, const char *key, char *out)
{
    const char *at = find(line, key);
    if (at == NULL) return 0;
    int quoted = *at == '"';
    size_t n = 0;
    for (at += quoted; *at != '\0' && n + 1 < ROOM; at++) {
        if (quoted ? *at == '"' : (*at == ',' || *at == '}')) break;
        if (quoted && *at == '\\' && at[1] != '\0') at++;
        out[n++] = *at;
    }
    out[n] = '\0';
    return 1;
}

/* Operands and result of one set, which stay where they are when it is loaded again. */
struct set { float *x, *y; hsize_t extent[8]; int rank; size_t count; };

static void release_set(struct set *s)
{
    free(s->x); free(s->y);
    memset(s, 0, sizeof *s);
}

/* An element that still has these bits was not written. */
static void mark(struct set *s)
{
    const uint32_t unwritten = 0x7FC5A5A5u;
    for (size_t i = 0; i < s->count; i++) memcpy(&s->y[i], &unwritten, sizeof unwritten);
}

/* Reads x into the set's buffers, which are made at the first time, and marks y. */
static int load(const char *file, const char *path, struct set *s)
{
    char name[2 * ROOM];
    snprintf(name, sizeof name, "%s/inputs/x", path);
    hid_t f = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t data = f < 0 ? -1 : H5Dopen2(f, name, H5P_DEFAULT);
    hid_t space = data < 0 ? -1 : H5Dget_space(data);
    int ok = space >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL;
    if (ok) {
        size_t count = (size_t)H5Sget_simple_extent_npoints(space);
        if (s->x != NULL && count != s->count) release_set(s);
        if (s->x == NULL) {
            s->count = count;
            s->x = malloc((count + 1) * sizeof *s->x);
            s->y = malloc((count + 1) * sizeof *s->y);
        }
        s->rank = H5Sget_simple_extent_dims(space, s->extent, NULL);
        ok = s->x != NULL && s->y != NULL && H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->x) >= 0;
        if (ok) mark(s); else release_set(s);
    }
    if (space >= 0) H5Sclose(space);
    if (data >= 0) H5Dclose(data);
    if (f >= 0) H5Fclose(f);
    return ok;
}

static int write_y(const char *file, const char *path, const struct set *s)
{
    char name[2 * ROOM];
    snprintf(name, sizeof name, "%s/outputs/y", path);
    hid_t f = H5Fcreate(file, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (f < 0) return 0;
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t space = H5Screate_simple(s->rank, s->extent, NULL);
    hid_t data = H5Dcreate2(f, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    int ok = data >= 0 && H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->y) >= 0;
    if (data >= 0) H5Dclose(data);
    H5Sclose(space); H5Pclose(links); H5Fclose(f);
    return ok;
}

/* NaN stays NaN: it is neither above nor below zero. */
static void relu(const float *x, float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0.0f : x[i];
}

/* What was prepared: with nothing to pack, the case's path and its sets. */
struct operation { char path[ROOM]; struct set sets[SETS]; };
static struct operation *prepared[HANDLES];

static long number(const char *line, const char *key, long otherwise)
{
    static char text[ROOM];
    return value_of(line, key, text) ? atol(text) : otherwise;
}

static struct operation *operation_of(const char *line)
{
    long handle = number(line, "handle", -1);
    return handle >= 0 && handle < HANDLES ? prepared[handle] : NULL;
}

static struct set *set_at(struct operation *o, long index)
{
    return o != NULL && index >= 0 && index < SETS ? &o->sets[index] : NULL;
}

/* Iteration i runs on set sets[i mod count], in its own buffers. Prints nothing and returns 0 where one is missing. */
static int time_slice(const char *line, const char *id, struct operation *o)
{
    static struct set *sets[VISITS];
    long count = 0, iterations = number(line, "iterations", 0);
    const char *at = find(line, "sets");
    if (at == NULL) sets[count++] = &o->sets[0]; /* protocol 1 has one set */
    for (at = at == NULL ? "]" : at; *at != ']'; count++) {
        char *end;
        if (count == VISITS) return 0;
        sets[count] = set_at(o, strtol(at + 1, &end, 10));
        if (sets[count] == NULL || end == at + 1) return 0;
        at = end + strspn(end, " ");
    }
    uint64_t *spent = calloc((size_t)iterations + 1, sizeof *spent);
    for (long i = 0; i < count; i++) if (sets[i]->x == NULL || spent == NULL) return free(spent), 0;
    for (long i = 0; i < count; i++) mark(sets[i]);
    for (long i = 0; i < iterations; i++) {
        struct set *s = sets[i % count];
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        relu(s->x, s->y, s->count);
        clock_gettime(CLOCK_MONOTONIC, &b);
        int64_t elapsed = (int64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (b.tv_nsec - a.tv_nsec);
        spent[i] = elapsed > 0 ? (uint64_t)elapsed : 1; /* every run takes some time, also on a coarse clock */
    }
    printf("{\"id\":%s,\"result\":{\"nanoseconds\":[", id);
    for (long i = 0; i < iterations; i++) printf("%s%llu", i ? "," : "", (unsigned long long)spent[i]);
    printf("]}}\n");
    free(spent);
    return 1;
}

static void answer(const char *id, int ok, const char *failure)
{
    if (ok) printf("{\"id\":%s,\"result\":{}}\n", id);
    else printf("{\"id\":%s,\"error\":{\"category\":\"internal\",\"message\":\"%s\"}}\n", id, failure);
}

int main(void)
{
    static char line[16 * ROOM], id[ROOM], method[ROOM], file[ROOM], path[ROOM], output[ROOM];
    long protocol = 1;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!value_of(line, "id", id) || !value_of(line, "method", method)) continue;
        value_of(line, "file", file);
        value_of(line, "case", path);
        value_of(line, "output", output);
        struct operation *o = operation_of(line);
        struct set *s = set_at(o, number(line, "set", -1));
        if (strcmp(method, "hello") == 0) {
            protocol = number(line, "protocol", 1) == 1 ? 1 : 2; /* what it speaks; the tool goes by the reply */
            printf("{\"id\":%s,\"result\":{\"protocol\":%ld,\"name\":\"relu-c\",\"version\":\"2\",\"device\":\"cpu\","
                   "\"operations\":[\"relu\"],\"dtypes\":[\"float32\"],\"passes\":[\"forward\"],\"nonfinite\":true,"
                   "\"deterministic\":true}}\n", id, protocol);
        } else if (strcmp(method, "compute") == 0) {
            struct set once = {0};
            int ok = load(file, path, &once);
            if (ok) relu(once.x, once.y, once.count);
            answer(id, ok && write_y(output, path, &once), "inputs/x cannot be read, or the output not be written");
            release_set(&once);
        } else if (strcmp(method, "prepare") == 0) {
            long handle = 0;
            while (handle < HANDLES && prepared[handle] != NULL) handle++;
            o = handle < HANDLES ? calloc(1, sizeof *o) : NULL;
            if (o != NULL) strcpy(o->path, path);
            /* With protocol 1 the operands come at once; with 2 the file has only their shape. */
            if (o == NULL || (protocol == 1 && !load(file, path, &o->sets[0]))) {
                free(o);
                answer(id, 0, "no handle is free, or inputs/x cannot be read");
            } else {
                prepared[handle] = o;
                printf("{\"id\":%s,\"result\":{\"handle\":\"%ld\",\"workspace_bytes\":0,"
                       "\"description\":\"plain loop\"}}\n", id, handle);
            }
        } else if (strcmp(method, "load") == 0) {
            answer(id, s != NULL && load(file, o->path, s), "no such set, or inputs/x cannot be read");
        } else if (strcmp(method, "time") == 0) {
            if (o == NULL || !time_slice(line, id, o)) answer(id, 0, "a set that was not loaded");
        } else if (strcmp(method, "collect") == 0) {
            answer(id, s != NULL && s->x != NULL && write_y(output, o->path, s), "no such set, or an unwritable file");
        } else if (strcmp(method, "release") == 0) {
            if (o != NULL) {
                for (int i = 0; i < SETS; i++) release_set(&o->sets[i]);
                free(o);
                prepared[number(line, "handle", 0)] = NULL;
            }
            answer(id, 1, "");
        } else {
            printf("{\"id\":%s,\"unsupported\":\"method %s\"}\n", id, method);
        }
        fflush(stdout);
    }
    return 0;
}
