/* A minimal engine in C: relu in float32, forward. It shows what an engine in any language has to do.
 *
 *   cc -O2 -o relu-engine Benchmarks/engines/example.c $(pkg-config --cflags --libs hdf5)
 *   assay verify --engine relu-c=./relu-engine --filter 'relu*' --dtype float32
 *
 * One JSON object a line on stdin, one reply a line on stdout. The requests are Assay's own, so looking for a key is
 * parsing enough; an engine that serves others as well should use a JSON library. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM 4096

/* The value of "key" as text: a string's characters, or the number. */
static int value_of(const char *line, const char *key, char *out)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":", key);
    const char *at = strstr(line, pattern);
    if (at == NULL) return 0;
    at += strlen(pattern);
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

struct tensor { float *data; hsize_t extent[8]; int rank; size_t count; };

static int read_x(const char *file, const char *path, struct tensor *x)
{
    char name[2 * ROOM];
    snprintf(name, sizeof name, "%s/inputs/x", path);
    hid_t f = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = f < 0 ? -1 : H5Dopen2(f, name, H5P_DEFAULT);
    if (set < 0) { if (f >= 0) H5Fclose(f); return 0; }
    hid_t space = H5Dget_space(set);
    x->rank = H5Sget_simple_extent_dims(space, x->extent, NULL);
    x->count = (size_t)H5Sget_simple_extent_npoints(space);
    x->data = malloc((x->count + 1) * sizeof(float));
    int ok = x->data != NULL && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x->data) >= 0;
    H5Sclose(space); H5Dclose(set); H5Fclose(f);
    return ok;
}

static int write_y(const char *file, const char *path, const struct tensor *y)
{
    char name[2 * ROOM];
    snprintf(name, sizeof name, "%s/outputs/y", path);
    hid_t f = H5Fcreate(file, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (f < 0) return 0;
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t space = H5Screate_simple(y->rank, y->extent, NULL);
    hid_t set = H5Dcreate2(f, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    int ok = set >= 0 && H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, y->data) >= 0;
    if (set >= 0) H5Dclose(set);
    H5Sclose(space); H5Pclose(links); H5Fclose(f);
    return ok;
}

/* NaN stays NaN: it is neither above nor below zero. */
static void relu(const float *x, float *y, size_t count)
{
    for (size_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0.0f : x[i];
}

int main(void)
{
    static char line[16 * ROOM], id[ROOM], method[ROOM], file[ROOM], path[ROOM], output[ROOM], number[ROOM];
    struct tensor held = {0};
    float *held_y = NULL;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!value_of(line, "id", id) || !value_of(line, "method", method)) continue;
        if (strcmp(method, "hello") == 0) {
            printf("{\"id\":%s,\"result\":{\"name\":\"relu-c\",\"version\":\"1\",\"operations\":[\"relu\"],"
                   "\"dtypes\":[\"float32\"],\"passes\":[\"forward\"],\"nonfinite\":true,\"deterministic\":true}}\n", id);
        } else if (strcmp(method, "compute") == 0 || strcmp(method, "prepare") == 0) {
            struct tensor x = {0};
            value_of(line, "file", file); value_of(line, "case", path);
            if (!read_x(file, path, &x)) {
                printf("{\"id\":%s,\"error\":{\"category\":\"internal\",\"message\":\"inputs/x cannot be read\"}}\n", id);
            } else if (strcmp(method, "prepare") == 0) {
                free(held.data); free(held_y);
                held = x; x.data = NULL;
                held_y = malloc((held.count + 1) * sizeof(float));
                printf("{\"id\":%s,\"result\":{\"handle\":\"1\",\"workspace_bytes\":0,\"description\":\"plain loop\"}}\n", id);
            } else {
                relu(x.data, x.data, x.count);
                value_of(line, "output", output);
                if (write_y(output, path, &x)) printf("{\"id\":%s,\"result\":{}}\n", id);
                else printf("{\"id\":%s,\"error\":{\"category\":\"internal\",\"message\":\"the output cannot be written\"}}\n", id);
            }
            free(x.data);
        } else if (strcmp(method, "time") == 0 && held.data != NULL) {
            value_of(line, "iterations", number);
            printf("{\"id\":%s,\"result\":{\"nanoseconds\":[", id);
            for (int i = 0, n = atoi(number); i < n; i++) {
                struct timespec a, b;
                clock_gettime(CLOCK_MONOTONIC, &a);
                relu(held.data, held_y, held.count);
                clock_gettime(CLOCK_MONOTONIC, &b);
                long long spent = (b.tv_sec - a.tv_sec) * 1000000000LL + (b.tv_nsec - a.tv_nsec);
                printf("%s%lld", i ? "," : "", spent > 0 ? spent : 1);
            }
            printf("]}}\n");
        } else if (strcmp(method, "release") == 0) {
            printf("{\"id\":%s,\"result\":{}}\n", id);
        } else {
            printf("{\"id\":%s,\"unsupported\":\"method %s\"}\n", id, method);
        }
        fflush(stdout);
    }
    return 0;
}
