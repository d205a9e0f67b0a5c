/** What every generated program begins with: the context of a run and its threads. */
export const contextText = `#include <stdint.h>
#include <stddef.h>
#include <string.h>

typedef struct Pool Pool;
typedef struct Context {
  char **p;         /* where each value lies */
  long n;           /* the batch size */
  double *sums;     /* partial sums of a kernel's parts */
  char *scratch;    /* memory of each thread */
  long scratch_bytes;
  long threads;
  Pool *pool;
  const void *job;  /* what the present task works on */
  double *times;    /* seconds of each step so far, where they are measured */
  double last;
  long one;         /* 1: a step whose length the compiler doesn't know */
  int fresh;        /* the first run: weights that never change are packed then */
} Context;
typedef void (*Task)(const Context *x, long part, long parts, long worker);
void run(const Context *x, Task task, long parts);
`;

/** Helpers of element-wise code. */
export const helpersText = `#include <math.h>

#define larger(a, b) ((a) > (b) || (a) != (a) ? (a) : (b))
static inline int32_t divided(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return (int32_t)(0u - (uint32_t)a);
  return a / b;
}
static inline int32_t saturated_real_i32(double v) {
  return v != v ? 0 : v <= -2147483648.0 ? (-2147483647 - 1) : v >= 2147483647.0 ? 2147483647 : (int32_t)v;
}
static inline int8_t saturated_real_i8(double v) { return v != v ? 0 : v <= -128 ? -128 : v >= 127 ? 127 : (int8_t)v; }
static inline uint8_t saturated_real_u8(double v) { return v != v ? 0 : v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v; }
static inline int32_t saturated_integer_i32(int32_t v) { return v; }
static inline int8_t saturated_integer_i8(int32_t v) { return v < -128 ? -128 : v > 127 ? 127 : (int8_t)v; }
static inline uint8_t saturated_integer_u8(int32_t v) { return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v; }
#define REACHED(name, type) \\
  static inline long reached_##name(const type *thresholds, long count, type x) { \\
    long least = 0, most = count; \\
    while (least < most) { \\
      const long middle = (least + most) / 2; \\
      if (x >= thresholds[middle]) least = middle + 1; else most = middle; \\
    } \\
    return least; \\
  }
REACHED(f32, float)
REACHED(f64, double)
REACHED(i32, int32_t)
`;

/** Threads that take the parts of a task as they get free. They spin a while between tasks, then sleep. */
export const poolText = `#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct Pool {
  pthread_t *threads;
  long count;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  atomic_long round, next, busy;
  atomic_int stop;
  Task task;
  const Context *context;
  long parts;
};
typedef struct { Pool *pool; long worker; } Start;

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

static void take(Pool *pool, long worker) {
  for (;;) {
    const long part = atomic_fetch_add(&pool->next, 1);
    if (part >= pool->parts) return;
    pool->task(pool->context, part, pool->parts, worker);
  }
}

static void *work(void *given) {
  Pool *pool = ((Start *)given)->pool;
  const long worker = ((Start *)given)->worker;
  free(given);
  long seen = 0;
  for (;;) {
    for (int spin = 0; spin < 4000 && atomic_load_explicit(&pool->round, memory_order_acquire) == seen; spin++) relax();
    if (atomic_load(&pool->round) == seen) {
      pthread_mutex_lock(&pool->lock);
      while (atomic_load(&pool->round) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
      pthread_mutex_unlock(&pool->lock);
    }
    seen = atomic_load(&pool->round);
    if (atomic_load(&pool->stop)) return NULL;
    take(pool, worker);
    atomic_fetch_sub(&pool->busy, 1);
  }
}

void run(const Context *x, Task task, long parts) {
  Pool *pool = x->pool;
  if (pool == NULL || parts == 1) {
    for (long part = 0; part < parts; part++) task(x, part, parts, 0);
    return;
  }
  pool->task = task;
  pool->context = x;
  pool->parts = parts;
  atomic_store(&pool->next, 0);
  atomic_store(&pool->busy, pool->count);
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->round, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  take(pool, 0);
  for (int spin = 0; atomic_load_explicit(&pool->busy, memory_order_acquire) > 0; spin++) {
    if (spin < 2000) relax(); else sched_yield();
  }
}

Pool *spikec_threads(long threads) {
  if (threads < 2) return NULL;
  Pool *pool = calloc(1, sizeof(Pool));
  pool->count = threads - 1;
  pool->threads = calloc(pool->count, sizeof(pthread_t));
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  for (long i = 0; i < pool->count; i++) {
    Start *start = malloc(sizeof(Start));
    start->pool = pool;
    start->worker = i + 1;
    if (pthread_create(&pool->threads[i], NULL, work, start) != 0) {
      free(start);
      pool->count = i;
    }
  }
  return pool;
}

void spikec_join(Pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->stop, 1);
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->round, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (long i = 0; i < pool->count; i++) pthread_join(pool->threads[i], NULL);
  free(pool->threads);
  free(pool);
}

#include <time.h>
static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}
static void mark(Context *x, long step) {
  if (x->times == NULL) return;
  const double now = seconds();
  x->times[step] += now - x->last;
  x->last = now;
}
void *spikec_allocate(int64_t bytes) {
  void *made = NULL;
  return posix_memalign(&made, 64, bytes > 0 ? bytes : 64) == 0 ? made : NULL;
}
void spikec_free(void *given) { free(given); }

void spikec_run(Context *x);

/* A program that is ready to run; NULL where memory is short. */
Context *spikec_open(int64_t buffers, int64_t threads, int64_t scratch, int64_t sums) {
  Context *x = calloc(1, sizeof(Context));
  if (x == NULL) return NULL;
  x->scratch_bytes = (scratch + 4095) / 4096 * 4096 + 64;
  x->threads = threads;
  x->fresh = 1;
  x->one = 1;
  x->p = calloc(buffers > 0 ? buffers : 1, sizeof(char *));
  x->scratch = spikec_allocate(x->scratch_bytes * threads);
  x->sums = spikec_allocate(sums * (int64_t)sizeof(double));
  x->pool = spikec_threads(threads);
  return x;
}
void spikec_close(Context *x) {
  spikec_join(x->pool);
  free(x->p);
  free(x->scratch);
  free(x->sums);
  free(x->times);
  free(x);
}
/* Points a buffer at an offset of memory. */
void spikec_place(Context *x, int64_t buffer, char *memory, int64_t offset) { x->p[buffer] = memory + offset; }
void spikec_write(Context *x, int64_t buffer, const void *from, int64_t bytes) { memcpy(x->p[buffer], from, bytes); }
void spikec_read(Context *x, int64_t buffer, void *to, int64_t bytes) { memcpy(to, x->p[buffer], bytes); }
/* From now on the seconds of each of so many steps are added up; gives them. */
void spikec_measure(Context *x, int64_t steps) {
  free(x->times);
  x->times = calloc(steps, sizeof(double));
}
void spikec_times(Context *x, double *to, int64_t bytes) { memcpy(to, x->times, bytes); }
void spikec_step(Context *x, int64_t n) {
  x->n = n;
  x->last = seconds();
  spikec_run(x);
  x->fresh = 0;
}
`;
