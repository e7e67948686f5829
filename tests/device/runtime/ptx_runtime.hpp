// What translated kernels include: what a thread knows, the tables of a kernel, and PTX instructions as functions. For the output
// of tests/device/translate only; grid.hpp runs it.
//
// Three variants of a kernel are compiled from the same text:
//
//   (none)                  as fast as it goes: kernels without synchronization run thread after thread
//   EXARCH_STANDIN_CHECK    every access is checked for alignment and against what is allocated
//   EXARCH_STANDIN_PROFILE  every kernel runs warp by warp, and writes down its accesses where somebody looks at them
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace exarch::standin {

// ---- threads, warps, kernels

enum Space : std::uint8_t { kGenSpace, kGlobalSpace, kLocalSpace, kSharedSpace, kParamSpace, kConstSpace };

struct Warp;

// What a thread knows of itself. Blocks have one dimension, grids two.
struct Env {
  uint32_t tid, ntid, cx, cy, ncx, ncy;
  uint32_t shared_size;
  uint8_t *sh, *local, *local_base, *frame_top, *param;
  Warp* warp;
  int device;
};

struct ThreadExit {};  // thrown by an exit inside of a called function

// The stack frame of a called function.
struct LocalFrame {
  Env& env;
  uint8_t *local, *top;
  LocalFrame(Env& e, int size) : env(e), local(e.local), top(e.frame_top) {
    env.local = env.frame_top;
    env.frame_top += size;
  }
  ~LocalFrame() {
    env.local = local;
    env.frame_top = top;
  }
};

constexpr uint32_t kExited = 0xFFFFFFFFu;

enum SyncKind : std::uint8_t { kPlain, kWarpSync, kBarrier, kBarrierReduction };

struct BlockEntry {
  uint32_t (*run)(Env&, void* registers);   // a plain block, for one lane; returns the next block
  void (*sync)(Warp&, uint32_t lanes);      // a synchronizing instruction, for all its lanes
  uint32_t (*mask)(Env&, void* registers);  // its member mask; 0: whoever stands here
  void (*after)(Warp&, uint32_t lanes);     // of a barrier with a reduction: takes the result
  int kind;
  int instructions;
  int memory_slots;   // memory instructions
  const char* place;  // of a synchronizing instruction: its name and its source lines, innermost first
};

struct ParameterEntry {
  int offset, size;
};

struct KernelEntry {
  const char* name;
  const char* missing;       // why there is no translation; null where there is one, and what follows is filled in
  void (*thread)(Env&);      // the thread form; null where only the warp form exists
  const BlockEntry* blocks;  // the warp form; null where only the thread form exists
  int block_count;
  size_t register_size;  // of a lane's registers that last from block to block
  const ParameterEntry* parameters;
  int parameter_count, parameter_size, shared_size, local_size, max_threads, max_slots;
};

// Registrations happen before main(); the first of a name counts.
struct KernelRegistration {
  explicit KernelRegistration(const KernelEntry&);
};
struct VariableRegistration {  // a variable of a module: allowed memory for EXARCH_STANDIN_CHECK
  VariableRegistration(const void* address, size_t size);
};

struct Access {  // one lane's access
  uint64_t address;
  uint8_t size, kind;
};

struct BlockShared {  // of the warps of a block: the result of a barrier's reduction
  bool red_or, red_and;
  uint32_t red_count;
};

struct Warp {
  uint32_t pc[32];   // the block each lane stands at
  uint32_t present;  // lanes that the block has at all
  Env env[32];
  uint8_t* registers;
  size_t register_size;
  bool reduced[32];
  BlockShared* block;
  Access* accesses;  // (memory slot, lane) of the block that runs; null: nobody looks at them
  uint64_t number;   // for the profile: its place on the multiprocessor
  void* reg(int lane) { return registers + lane * register_size; }
};

[[noreturn]] void ptx_fault(const char* what, Env& E, uint64_t address, int size, int space);
[[noreturn]] inline void ptx_trap(Env& E) {
  ptx_fault("trap", E, 0, 0, 0);
}
void check_access(Env& E, uint64_t address, int size, int kind, int space);
extern uint64_t undefined_shuffles;  // lanes that read from a lane outside of the member mask

// ---- memory

// The note of an access. Kind: 0 load, 1 store, 2 atomic. `slot` numbers the memory instructions of a basic block.
template <int kSize, int kKind>
inline __attribute__((always_inline)) void access(Env& E, uint64_t a, int slot, int space) {
#if defined(EXARCH_STANDIN_CHECK)
  if (a % kSize) ptx_fault("misaligned access", E, a, kSize, space);
  check_access(E, a, kSize, kKind, space);
#elif defined(EXARCH_STANDIN_PROFILE)
  if (E.warp->accesses != nullptr) E.warp->accesses[slot * 32 + (E.tid & 31)] = Access{a, (uint8_t)kSize, (uint8_t)kKind};
#endif
  (void)E, (void)a, (void)slot, (void)space;
}

template <class T>
inline T load(uint64_t a) {
  T v;
  std::memcpy(&v, (const void*)a, sizeof v);
  return v;
}
template <class T>
inline void store(uint64_t a, T v) {
  std::memcpy((void*)a, &v, sizeof v);
}

// ---- registers hold bits

template <class To, class From>
inline To bits_as(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  std::memcpy(&y, &x, sizeof y);
  return y;
}
inline double as_f64(uint64_t x) {
  return bits_as<double>(x);
}
inline float as_f32(uint32_t x) {
  return bits_as<float>(x);
}
inline uint64_t of_f64(double x) {
  return bits_as<uint64_t>(x);
}
inline uint32_t of_f32(float x) {
  return bits_as<uint32_t>(x);
}

// ---- integers

// A division by zero is unspecified in PTX; these are the values that devices give.
template <class T>
inline T int_div(T a, T b) {
  if (b == 0) return (T)~T(0);
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return (T)(0 - (std::make_unsigned_t<T>)a);
  }
  return (T)(a / b);
}
template <class T>
inline T int_rem(T a, T b) {
  if (b == 0) return a;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
  }
  return (T)(a % b);
}

// Shifts by the width and more give 0, or the sign.
template <class T>
inline T shift_left(T a, uint32_t n) {
  return n >= sizeof(T) * 8 ? 0 : (T)(a << n);
}
template <class T>
inline T shift_right(T a, uint32_t n) {
  if (n >= sizeof(T) * 8) return a < 0 ? (T)-1 : 0;
  return (T)(a >> n);
}
inline uint32_t funnel_l_wrap(uint32_t a, uint32_t b, uint32_t c) {
  return (uint32_t)((((uint64_t)b << 32 | a) << (c & 31)) >> 32);
}
inline uint32_t funnel_r_wrap(uint32_t a, uint32_t b, uint32_t c) {
  return (uint32_t)(((uint64_t)b << 32 | a) >> (c & 31));
}
inline uint32_t funnel_l_clamp(uint32_t a, uint32_t b, uint32_t c) {
  return c >= 32 ? a : funnel_l_wrap(a, b, c);
}
inline uint32_t funnel_r_clamp(uint32_t a, uint32_t b, uint32_t c) {
  return c >= 32 ? b : funnel_r_wrap(a, b, c);
}

// bfi: `length` bits of a into b at `position`.
template <class T>
inline T insert_bits(T a, T b, uint32_t position, uint32_t length) {
  constexpr uint32_t kWidth = sizeof(T) * 8;
  position &= 255;
  length &= 255;
  if (position >= kWidth || length == 0) return b;
  const T ones = length >= kWidth ? (T)~T(0) : (T)((T(1) << length) - 1);
  return (T)((b & ~(T)(ones << position)) | ((T)(a & ones) << position));
}

// bfe: as the PTX manual defines it, bit by bit; beyond the last bit comes the sign.
template <class T>
inline T extract_bits(T a, uint32_t position, uint32_t length) {
  using U = std::make_unsigned_t<T>;
  constexpr int kLast = sizeof(T) * 8 - 1;
  position &= 255;
  length &= 255;
  if (length == 0) return 0;
  const int sign_at = std::min<int>((int)(position + length) - 1, kLast);
  const U sign = std::is_signed_v<T> ? ((U)a >> sign_at) & 1 : 0;
  U out = 0;
  for (int i = 0; i <= kLast; ++i) {
    const bool inside = i < (int)length && (int)position + i <= kLast;
    out |= (inside ? ((U)a >> (position + i)) & 1 : sign) << i;
  }
  return (T)out;
}

inline uint32_t bit_mask(uint32_t position, uint32_t length) {
  if (position >= 32 || length == 0) return 0;
  return (length >= 32 ? ~0u : (1u << length) - 1) << position;
}

// prmt: picks four bytes of b:a; a selector's top bit repeats the byte's sign.
inline uint32_t permute(uint32_t a, uint32_t b, uint32_t selectors) {
  const uint64_t bytes = (uint64_t)b << 32 | a;
  uint32_t out = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t selector = selectors >> (4 * i) & 15;
    uint32_t byte = (uint32_t)(bytes >> (8 * (selector & 7))) & 255;
    if (selector & 8) byte = byte & 128 ? 255 : 0;
    out |= byte << (8 * i);
  }
  return out;
}

// lop3: bit i of the table is the result for the inputs (a, b, c) = the binary digits of i.
inline uint32_t logic3(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
  uint32_t out = 0;
  for (int i = 0; i < 8; ++i) {
    if (table >> i & 1) out |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  }
  return out;
}

template <class T>
inline uint32_t leading_zeros(T a) {
  if (!a) return sizeof(T) * 8;
  return sizeof(T) == 8 ? __builtin_clzll(a) : __builtin_clz((uint32_t)a);
}
template <class T>
inline T reverse_bits(T a) {
  T out = 0;
  for (unsigned i = 0; i < sizeof(T) * 8; ++i) out |= (T)((a >> i) & 1) << (sizeof(T) * 8 - 1 - i);
  return out;
}

// cvt from a rounded floating value: saturates; not-a-number gives 0, or the top bit of 64.
template <class T>
inline T to_integer(double x) {
  if (std::isnan(x)) return sizeof(T) == 8 ? (T)(uint64_t(1) << 63) : 0;
  if (x >= (double)std::numeric_limits<T>::max()) return std::numeric_limits<T>::max();
  if (x <= (double)std::numeric_limits<T>::min()) return std::numeric_limits<T>::min();
  return (T)x;
}

// ---- shuffles

// One lane of shfl, as the PTX manual defines it. Mode: 0 up, 1 down, 2 bfly, 3 idx.
template <int kMode>
inline void shuffle(const uint32_t* in, uint32_t lanes, int lane, uint32_t b, uint32_t c, uint32_t& out, bool& inside) {
  const int by = (int)(b & 31), clamp = (int)(c & 31), segment = (int)(c >> 8 & 31);
  const int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  int from;
  if constexpr (kMode == 0) {
    from = lane - by;
    inside = from >= last;
  } else if constexpr (kMode == 1) {
    from = lane + by;
    inside = from <= last;
  } else if constexpr (kMode == 2) {
    from = lane ^ by;
    inside = from <= last;
  } else {
    from = first | (by & ~segment);
    inside = from <= last;
  }
  if (!inside) from = lane;
  if (!(lanes >> from & 1)) ++undefined_shuffles;
  out = in[from];
}

}  // namespace exarch::standin
