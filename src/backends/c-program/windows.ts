/** Convolutions in groups or of doubles, pools and what else has no fast form: plain loops over images. */
export const windowsText = `
typedef struct {
  long images, channels, height, width, filters, kh, kw, sy, sx, top, left, dy, dx, groups, out_height, out_width;
  const void *a, *b;
  void *to;
  int counts_pads;
} Window;
#define WINDOW const Window *s = (const Window *)x->job; (void)worker; \\
  const long lo = s->images * part / parts, hi = s->images * (part + 1) / parts
/* the taps of position (r, c) that lie in the image, as row and column (y, z) */
#define EACH_TAP(r, c) \\
  for (long ky = 0, y = (r) * s->sy - s->top; ky < s->kh; ky++, y += s->dy) \\
    if (y >= 0 && y < s->height) \\
      for (long kx = 0, z = (c) * s->sx - s->left; kx < s->kw; kx++, z += s->dx) \\
        if (z >= 0 && z < s->width)
#define WINDOWS(T, name) \\
  /* a filter for each channel: rows of channels at once */ \\
  static T *turned_##name(const Window *s, const void *given) { \\
    const long taps = s->kh * s->kw; \\
    T *w = malloc(sizeof(T) * taps * s->channels); \\
    if (w == NULL) abort(); \\
    for (long c = 0; c < s->channels; c++) \\
      for (long t = 0; t < taps; t++) w[t * s->channels + c] = ((const T *)given)[c * taps + t]; \\
    return w; \\
  } \\
  static void depthwise_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    T *w = turned_##name(s, s->b); \\
    for (long n = lo; n < hi; n++) { \\
      const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels; \\
      T *restrict to = (T *)s->to + n * s->out_height * s->out_width * s->channels; \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, to += s->channels) { \\
        memset(to, 0, sizeof(T) * s->channels); \\
        EACH_TAP(r, c) { \\
          const T *restrict from = image + (y * s->width + z) * s->channels; \\
          const T *restrict u = w + (ky * s->kw + kx) * s->channels; \\
          for (long i = 0; i < s->channels; i++) to[i] += from[i] * u[i]; \\
        } \\
      } \\
    } \\
    free(w); \\
  } \\
  static void depthwise_input_grad_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    T *w = turned_##name(s, s->a); \\
    for (long n = lo; n < hi; n++) { \\
      T *restrict image = (T *)s->to + n * s->height * s->width * s->channels; \\
      const T *restrict g = (const T *)s->b + n * s->out_height * s->out_width * s->channels; \\
      memset(image, 0, sizeof(T) * s->height * s->width * s->channels); \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, g += s->channels) \\
        EACH_TAP(r, c) { \\
          T *restrict to = image + (y * s->width + z) * s->channels; \\
          const T *restrict u = w + (ky * s->kw + kx) * s->channels; \\
          for (long i = 0; i < s->channels; i++) to[i] += g[i] * u[i]; \\
        } \\
    } \\
    free(w); \\
  } \\
  static void conv_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    const long per = s->channels / s->groups, each = s->filters / s->groups; \\
    if (per == 1 && each == 1) { depthwise_##name(x, part, parts, worker); return; } \\
    for (long n = lo; n < hi; n++) { \\
      const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels; \\
      T *restrict to = (T *)s->to + n * s->out_height * s->out_width * s->filters; \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, to += s->filters) \\
        for (long o = 0; o < s->filters; o++) { \\
          const T *w = (const T *)s->b + o * per * s->kh * s->kw; \\
          const long first = o / each * per; \\
          double sum = 0; \\
          EACH_TAP(r, c) \\
            for (long i = 0; i < per; i++) \\
              sum += (double)image[(y * s->width + z) * s->channels + first + i] * w[(i * s->kh + ky) * s->kw + kx]; \\
          to[o] = (T)sum; \\
        } \\
    } \\
  } \\
  static void conv_input_grad_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    const long per = s->channels / s->groups, each = s->filters / s->groups; \\
    if (per == 1 && each == 1) { depthwise_input_grad_##name(x, part, parts, worker); return; } \\
    for (long n = lo; n < hi; n++) { \\
      T *restrict image = (T *)s->to + n * s->height * s->width * s->channels; \\
      const T *restrict g = (const T *)s->b + n * s->out_height * s->out_width * s->filters; \\
      memset(image, 0, sizeof(T) * s->height * s->width * s->channels); \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, g += s->filters) \\
        for (long o = 0; o < s->filters; o++) { \\
          const T *w = (const T *)s->a + o * per * s->kh * s->kw; \\
          const long first = o / each * per; \\
          const T v = g[o]; \\
          EACH_TAP(r, c) \\
            for (long i = 0; i < per; i++) \\
              image[(y * s->width + z) * s->channels + first + i] += v * w[(i * s->kh + ky) * s->kw + kx]; \\
        } \\
    } \\
  } \\
  static void conv_weight_grad_##name(const Context *x, long part, long parts, long worker) { \\
    const Window *s = (const Window *)x->job; (void)worker; \\
    const long per = s->channels / s->groups, each = s->filters / s->groups; \\
    for (long o = s->filters * part / parts; o < s->filters * (part + 1) / parts; o++) { \\
      const long first = o / each * per; \\
      for (long i = 0; i < per; i++) for (long ky = 0; ky < s->kh; ky++) for (long kx = 0; kx < s->kw; kx++) { \\
        double sum = 0; \\
        for (long n = 0; n < s->images; n++) { \\
          const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels + first + i; \\
          const T *restrict g = (const T *)s->b + n * s->out_height * s->out_width * s->filters + o; \\
          for (long r = 0; r < s->out_height; r++) { \\
            const long y = r * s->sy - s->top + ky * s->dy; \\
            if (y < 0 || y >= s->height) continue; \\
            for (long c = 0; c < s->out_width; c++) { \\
              const long z = c * s->sx - s->left + kx * s->dx; \\
              if (z < 0 || z >= s->width) continue; \\
              sum += (double)image[(y * s->width + z) * s->channels] * g[(r * s->out_width + c) * s->filters]; \\
            } \\
          } \\
        } \\
        ((T *)s->to)[((o * per + i) * s->kh + ky) * s->kw + kx] = (T)sum; \\
      } \\
    } \\
  } \\
  static void maxpool_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    for (long n = lo; n < hi; n++) { \\
      const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels; \\
      T *restrict to = (T *)s->to + n * s->out_height * s->out_width * s->channels; \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, to += s->channels) { \\
        int any = 0; \\
        EACH_TAP(r, c) { \\
          const T *restrict from = image + (y * s->width + z) * s->channels; \\
          if (!any) memcpy(to, from, sizeof(T) * s->channels); \\
          else for (long i = 0; i < s->channels; i++) to[i] = from[i] > to[i] ? from[i] : to[i]; \\
          any = 1; \\
        } \\
      } \\
    } \\
  } \\
  static void maxpool_grad_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    for (long n = lo; n < hi; n++) { \\
      const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels; \\
      const T *restrict g = (const T *)s->b + n * s->out_height * s->out_width * s->channels; \\
      T *restrict to = (T *)s->to + n * s->height * s->width * s->channels; \\
      memset(to, 0, sizeof(T) * s->height * s->width * s->channels); \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, g += s->channels) \\
        for (long i = 0; i < s->channels; i++) { \\
          long best = -1; \\
          EACH_TAP(r, c) { \\
            const long at = (y * s->width + z) * s->channels + i; \\
            if (best < 0 || image[at] > image[best]) best = at; \\
          } \\
          to[best] += g[i]; \\
        } \\
    } \\
  } \\
  static void avgpool_##name(const Context *x, long part, long parts, long worker) { \\
    WINDOW; \\
    for (long n = lo; n < hi; n++) { \\
      const T *restrict image = (const T *)s->a + n * s->height * s->width * s->channels; \\
      T *restrict to = (T *)s->to + n * s->out_height * s->out_width * s->channels; \\
      for (long r = 0; r < s->out_height; r++) for (long c = 0; c < s->out_width; c++, to += s->channels) { \\
        long count = 0; \\
        memset(to, 0, sizeof(T) * s->channels); \\
        EACH_TAP(r, c) { \\
          const T *restrict from = image + (y * s->width + z) * s->channels; \\
          for (long i = 0; i < s->channels; i++) to[i] += from[i]; \\
          count++; \\
        } \\
        const T share = (T)(s->counts_pads ? s->kh * s->kw : count); \\
        for (long i = 0; i < s->channels; i++) to[i] /= share; \\
      } \\
    } \\
  }
WINDOWS(float, f32)
WINDOWS(double, f64)
#define ARGMAX(name, T) \\
  static void argmax_##name(const T *from, int32_t *to, long outer, long size, long inner) { \\
    for (long o = 0; o < outer; o++) for (long i = 0; i < inner; i++) { \\
      const T *at = from + o * size * inner + i; \\
      long best = 0; \\
      for (long k = 1; k < size; k++) if (at[k * inner] > at[best * inner]) best = k; \\
      to[o * inner + i] = (int32_t)best; \\
    } \\
  }
ARGMAX(f32, float)
ARGMAX(f64, double)
ARGMAX(i32, int32_t)
`;
