// See kernels.hpp. Translated as the project's own kernels are.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/device/kernels.hpp"
#include "tests/device/launch.cuh"

namespace exarch::standin {
namespace {

std::vector<std::uint64_t> some_numbers(std::size_t count) {
  std::vector<std::uint64_t> out{0, 1, 31, 32, 33, ~0ull, 1ull << 63, 0x7FFFFFFFFFFFFFFFull, 0x80000000ull, 0xFFFFFFFFull};
  std::uint64_t x = 0x9E3779B97F4A7C15ull;
  while (out.size() < count) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    out.push_back(x >> (x & 31));
  }
  return out;
}

template <class T>
bool equal(const std::vector<T>& got, const std::vector<T>& want) {
  return got.size() == want.size() && std::memcmp(got.data(), want.data(), got.size() * sizeof(T)) == 0;
}

// ---- arithmetic that is the same function on both sides

__host__ __device__ std::uint64_t integers(std::uint64_t a, std::uint64_t b) {
  const auto x = (std::uint32_t)a, y = (std::uint32_t)b;
  const auto s = (std::int32_t)x, t = (std::int32_t)(y | 1);
  std::uint32_t r = x * y + (x ^ y) - (x & ~y);
  r += x / (y | 1) + x % (y | 1);
  r ^= (std::uint32_t)(s >> (y & 31)) + (x << (y & 31)) + (x >> (y & 31));
  if (t != -1) r += (std::uint32_t)(s / t) * 3 + (std::uint32_t)(s % t);
  r += (std::uint32_t)(s < t ? s : t) + (x > y ? x : y);
  r ^= (std::uint32_t)(((std::uint64_t)x * y) >> 32);
  r += (std::uint32_t)(std::uint8_t)x + (std::uint32_t)(std::int8_t)y + (std::uint32_t)(std::int16_t)x;
  r += (x << 7 | x >> 25) + (x >> 5 & 0x1FF);
  return r;
}

__host__ __device__ std::uint64_t wide_integers(std::uint64_t a, std::uint64_t b) {
  const auto s = (std::int64_t)a, t = (std::int64_t)(b | 1);
  std::uint64_t r = a * b + (a ^ b) - (a & ~b);
  r += a / (b | 1) + a % (b | 1);
  r ^= (std::uint64_t)(s >> (b & 63)) + (a << (b & 63)) + (a >> (b & 63));
  if (t != -1) r += (std::uint64_t)(s / t) * 5 + (std::uint64_t)(s % t);
  r += (std::uint64_t)(s < t ? s : t) + (a > b ? a : b);
  return r ^ (std::uint64_t)((std::int64_t)(std::int32_t)a * (std::int32_t)b);
}

__host__ __device__ std::uint64_t doubles(std::uint64_t a, std::uint64_t b) {
  const double x = (double)(std::int64_t)a, y = (double)(b >> 11) + 0.5;
  double r = x * y + x / y - y;  // no fused operations: -fmad=false
  r += (x < y ? x : y) + (double)(float)y;
  const auto n = (std::int64_t)(y / 3);
  return (std::uint64_t)(r < 0 ? -1 : 1) * 7 + (std::uint64_t)n + (std::uint64_t)(std::int64_t)(x / 1e6) + (r > x) + (r != r);
}

template <std::uint64_t (*kFunction)(std::uint64_t, std::uint64_t)>
__global__ void pairs(const std::uint64_t* in, std::uint64_t* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = kFunction(in[i], in[(i * 7 + 3) % n]);
}

template <std::uint64_t (*kFunction)(std::uint64_t, std::uint64_t)>
bool same_on_both() {
  const auto in = some_numbers(1000);
  const int n = (int)in.size();
  std::vector<std::uint64_t> want;
  for (int i = 0; i < n; ++i) want.push_back(kFunction(in[i], in[(i * 7 + 3) % n]));
  return equal(launch(pairs<kFunction>, in, in.size(), 8, 128, n), want);
}

// ---- bits

__global__ void bits(const std::uint64_t* in, std::uint64_t* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const std::uint64_t a = in[i];
  out[i] = __popcll(a) + 100 * __clzll((long long)a) + 10000 * __ffsll((long long)a) + 1000000ull * (__brev((unsigned)a) >> 12) +
           ((std::uint64_t)__byte_perm((unsigned)a, (unsigned)(a >> 32), 0x5140) << 32);
}

bool bits_case() {
  const auto in = some_numbers(200);
  std::vector<std::uint64_t> want;
  for (const std::uint64_t a : in) {
    std::uint32_t reversed = 0;
    for (int i = 0; i < 32; ++i) reversed |= (std::uint32_t)(a >> i & 1) << (31 - i);
    const auto byte = [&](int i) { return a >> (8 * i) & 255; };
    const std::uint64_t permuted = byte(0) | byte(4) << 8 | byte(1) << 16 | byte(5) << 24;
    want.push_back(__builtin_popcountll(a) + 100 * (a ? __builtin_clzll(a) : 64) + 10000 * __builtin_ffsll((long long)a) +
                   1000000ull * (reversed >> 12) + (permuted << 32));
  }
  return equal(launch(bits, in, in.size(), 2, 128, (int)in.size()), want);
}

// Instructions whose operands C++ would not allow: shifts by the width and more, bit fields beyond the last bit, selectors of
// signs.
__global__ void odd_operands(const std::uint64_t* in, std::uint64_t* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const std::uint64_t a = in[i];
  const auto x = (std::uint32_t)a;
  const std::uint32_t by = i % 80, length = i * 7 % 41;
  std::uint32_t left, right, field, signed_field, inserted, bytes;
  std::uint64_t wide_right;
  asm("shl.b32 %0, %1, %2;" : "=r"(left) : "r"(x), "r"(by));
  asm("shr.s32 %0, %1, %2;" : "=r"(right) : "r"(x), "r"(by));
  asm("shr.s64 %0, %1, %2;" : "=l"(wide_right) : "l"(a), "r"(by));
  asm("bfe.u32 %0, %1, %2, %3;" : "=r"(field) : "r"(x), "r"(by % 35), "r"(length));
  asm("bfe.s32 %0, %1, %2, %3;" : "=r"(signed_field) : "r"(x), "r"(by % 35), "r"(length));
  asm("bfi.b32 %0, %1, %2, %3, %4;" : "=r"(inserted) : "r"(x), "r"((std::uint32_t)(a >> 32)), "r"(by % 35), "r"(length));
  asm("prmt.b32 %0, %1, %2, 0xC1F2;" : "=r"(bytes) : "r"(x), "r"((std::uint32_t)(a >> 32)));
  std::uint64_t* results = out + 7 * (std::uint64_t)i;
  results[0] = left, results[1] = right, results[2] = wide_right, results[3] = field, results[4] = signed_field;
  results[5] = inserted, results[6] = bytes;
}

bool odd_operands_case() {
  const auto in = some_numbers(400);
  std::vector<std::uint64_t> want;
  for (std::uint32_t i = 0; i < in.size(); ++i) {
    const std::uint64_t a = in[i];
    const auto x = (std::uint32_t)a, high = (std::uint32_t)(a >> 32);
    const std::uint32_t by = i % 80, length = i * 7 % 41, at = by % 35;
    const auto bit = [&](std::uint32_t k) -> std::uint32_t { return x >> (k < 31 ? k : 31) & 1; };
    std::uint32_t field = 0, signed_field = 0, inserted = high;
    for (std::uint32_t k = 0; k < 32; ++k) {
      if (k < length && at + k < 32) field |= bit(at + k) << k;
      if (length != 0) signed_field |= (k < length && at + k < 32 ? bit(at + k) : bit(at + length - 1)) << k;
      if (k < length && at + k < 32) inserted = (inserted & ~(1u << (at + k))) | (x >> k & 1) << (at + k);
    }
    const auto byte = [&](int k) { return (std::uint32_t)(a >> (8 * k)) & 255; };
    const auto sign = [&](int k) { return byte(k) & 128 ? 255u : 0u; };
    want.push_back(by < 32 ? (std::uint32_t)(x << by) : 0);
    want.push_back((std::uint32_t)((std::int64_t)(std::int32_t)x >> (by < 32 ? by : 32)));
    want.push_back((std::uint64_t)((std::int64_t)a >> (by < 63 ? by : 63)));
    want.insert(want.end(), {field, signed_field, inserted, byte(2) | sign(7) << 8 | byte(1) << 16 | sign(4) << 24});
  }
  return equal(launch(odd_operands, in, want.size(), 4, 128, (int)in.size()), want);
}

// ---- shared memory and barriers

// Sums of blocks, as a tree; the last threads of the last block have nothing.
__global__ void block_sums(const std::uint32_t* in, std::uint64_t* out, int n) {
  __shared__ std::uint64_t sums[256];
  const unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  sums[t] = i < n ? in[i] : 0;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (t < half) sums[t] += sums[t + half];
    __syncthreads();
  }
  const int any = __syncthreads_or(t == 77 && i < n);
  const int count = __syncthreads_count(i < n);
  if (t == 0) out[blockIdx.x] = sums[0] * 4 + any + 1000000ull * count;
}

bool block_sums_case() {
  std::vector<std::uint32_t> in;
  for (std::uint32_t i = 0; i < 1000; ++i) in.push_back(i * i % 977);
  std::vector<std::uint64_t> want;
  for (unsigned b = 0; b < 4; ++b) {
    std::uint64_t sum = 0, count = 0;
    for (unsigned t = 0; t < 256 && b * 256 + t < in.size(); ++t, ++count) sum += in[b * 256 + t];
    want.push_back(sum * 4 + 1 + 1000000ull * count);
  }
  return equal(launch(block_sums, in, 4, 4, 256, (int)in.size()), want);
}

// ---- shuffles

// Each half of a warp goes through its own loop, of its own length, with its own member mask.
__global__ void halves(const std::uint32_t* in, std::uint32_t* out) {
  const unsigned t = threadIdx.x, lane = t % 32, half = lane / 16;
  const unsigned mask = half ? 0xFFFF0000u : 0x0000FFFFu;
  std::uint32_t x = in[t];
  for (unsigned round = 0; round < 3 + 2 * half; ++round) {
    for (int by = 8; by > 0; by /= 2) x += __shfl_xor_sync(mask, x, by, 16);
    x = __shfl_sync(mask, x, 3, 16) + lane;
  }
  const std::uint32_t up = __shfl_up_sync(0xFFFFFFFFu, x, 1), down = __shfl_down_sync(0xFFFFFFFFu, x, 2);
  const std::uint32_t odd = __ballot_sync(0xFFFFFFFFu, x & 1), same = __match_any_sync(0xFFFFFFFFu, x % 4);
  const std::uint32_t sum = __reduce_add_sync(0xFFFFFFFFu, x), most = __reduce_max_sync(mask, x);
  out[t] = x + 3 * up + 5 * down + (odd ^ same) + 7 * sum + 11 * most + 13 * __any_sync(mask, x == up);
}

bool halves_case() {
  std::vector<std::uint32_t> in, want(64);
  for (std::uint32_t i = 0; i < 64; ++i) in.push_back(i * 2654435761u >> 20);
  for (unsigned warp = 0; warp < 2; ++warp) {
    std::uint32_t x[32];
    std::memcpy(x, in.data() + warp * 32, sizeof x);
    for (unsigned half = 0; half < 2; ++half) {
      for (unsigned round = 0; round < 3 + 2 * half; ++round) {
        std::uint32_t sum = 0;
        for (int l = 0; l < 16; ++l) sum += x[half * 16 + l];
        for (int l = 0; l < 16; ++l) x[half * 16 + l] = sum + half * 16 + l;
      }
    }
    std::uint32_t odd = 0, sum = 0;
    for (unsigned l = 0; l < 32; ++l) odd |= (x[l] & 1) << l, sum += x[l];
    for (unsigned l = 0; l < 32; ++l) {
      const std::uint32_t up = l ? x[l - 1] : x[l], down = l < 30 ? x[l + 2] : x[l];
      std::uint32_t same = 0, most = 0, any = 0;
      for (unsigned q = 0; q < 32; ++q) {
        same |= (std::uint32_t)(x[q] % 4 == x[l] % 4) << q;
        if (q / 16 != l / 16) continue;
        most = most > x[q] ? most : x[q];
        any |= x[q] == (q ? x[q - 1] : x[q]);
      }
      want[warp * 32 + l] = x[l] + 3 * up + 5 * down + (odd ^ same) + 7 * sum + 11 * most + 13 * any;
    }
  }
  return equal(launch(halves, in, 64, 1, 64), want);
}

// As the lanes kernel once did: a shuffle of all lanes within the branch of one.
constexpr int kLeaderShuffles = __LINE__ + 4;
__global__ void leader_shuffles(const std::uint32_t* in, std::uint32_t* out) {
  const unsigned lane = threadIdx.x % 32;
  std::uint32_t x = in[threadIdx.x];
  if (lane == 0) x += __shfl_sync(0xFFFFFFFFu, x, 5);
  x += __shfl_sync(0xFFFFFFFFu, x, 1);
  out[threadIdx.x] = x;
}

// ---- atomics

__global__ void histogram(const std::uint32_t* in, unsigned long long* out, int n) {
  __shared__ unsigned counts[16];
  if (threadIdx.x < 16) counts[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    atomicAdd(&counts[in[i] % 16], 1u);
    atomicMax(&out[16], (unsigned long long)in[i]);
    atomicXor(&out[17], (unsigned long long)in[i] << 7);
    unsigned long long seen = out[18], assumed;
    do {
      assumed = seen;
      seen = atomicCAS(&out[18], assumed, assumed + 2);
    } while (seen != assumed);
  }
  __syncthreads();
  if (threadIdx.x < 16) atomicAdd(&out[threadIdx.x], (unsigned long long)counts[threadIdx.x]);
}

bool histogram_case() {
  std::vector<std::uint32_t> in;
  for (std::uint32_t i = 0; i < 5000; ++i) in.push_back(i * 2654435761u >> 9);
  std::vector<unsigned long long> want(19);
  for (const std::uint32_t x : in) {
    ++want[x % 16];
    want[16] = want[16] > x ? want[16] : x;
    want[17] ^= (unsigned long long)x << 7;
    want[18] += 2;
  }
  return equal(launch(histogram, in, 19, 3, 96, (int)in.size()), want);
}

// ---- local arrays and called functions

__device__ __noinline__ std::uint32_t sorted_at(std::uint32_t seed, unsigned place) {
  std::uint32_t values[24];
  for (int i = 0; i < 24; ++i) values[i] = seed = seed * 1664525u + 1013904223u;
  for (int i = 1; i < 24; ++i) {
    const std::uint32_t v = values[i];
    int k = i;
    for (; k > 0 && values[k - 1] > v; --k) values[k] = values[k - 1];
    values[k] = v;
  }
  return values[place % 24];
}

__global__ void local_sort(const std::uint32_t* in, std::uint32_t* out) {
  std::uint32_t mine[8];
  for (unsigned i = 0; i < 8; ++i) mine[i] = sorted_at(in[threadIdx.x], i * 5);
  out[threadIdx.x] = mine[in[threadIdx.x] % 8] ^ mine[threadIdx.x % 8];
}

bool local_sort_case() {
  std::vector<std::uint32_t> in, want;
  for (std::uint32_t i = 0; i < 100; ++i) in.push_back(i * 77773u);
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto at = [&](unsigned place) {
      std::uint32_t seed = in[i];
      std::vector<std::uint32_t> values;
      for (int k = 0; k < 24; ++k) values.push_back(seed = seed * 1664525u + 1013904223u);
      std::sort(values.begin(), values.end());
      return values[place % 24];
    };
    want.push_back(at(in[i] % 8 * 5) ^ at(i % 8 * 5));
  }
  return equal(launch(local_sort, in, 100, 1, 100), want);
}

constexpr KernelCase kCases[] = {
    {"Integers", same_on_both<integers>},     {"WideIntegers", same_on_both<wide_integers>},
    {"Doubles", same_on_both<doubles>},       {"Bits", bits_case},
    {"OddOperands", odd_operands_case},       {"SharedMemoryAndBarriers", block_sums_case},
    {"ShufflesUnderDivergence", halves_case}, {"Atomics", histogram_case},
    {"LocalArraysAndCalls", local_sort_case},
};

}  // namespace

std::span<const KernelCase> kernel_cases() {
  return kCases;
}

void run_shuffle_in_a_branch() {
  (void)launch(leader_shuffles, std::vector<std::uint32_t>(64, 1), 64, 1, 64);
}
int line_of_shuffle_in_a_branch() {
  return kLeaderShuffles;
}

}  // namespace exarch::standin
