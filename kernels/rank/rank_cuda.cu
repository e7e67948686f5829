// Ranking on a CUDA device. All sorts are stable and on integer keys, so that Thrust takes its radix sort and ties stay in order
// of their candidates.
#include <thrust/binary_search.h>
#include <thrust/copy.h>
#include <thrust/device_allocator.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/gather.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/tuple.h>
#include <thrust/unique.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

#include "kernels/rank/rank.hpp"
#include "kernels/rank/staircase.hpp"

namespace exarch::rank {
namespace {

// Device memory whose release tells of no failure. Thrust's own throws there, in a destructor, which ends the process: after an
// error that corrupted the context every release fails.
template <class T>
class Allocator : public thrust::device_allocator<T> {
 public:
  using pointer = thrust::device_ptr<T>;
  template <class U>
  struct rebind {
    using other = Allocator<U>;
  };
  Allocator() = default;
  template <class U>
  __host__ __device__ explicit Allocator(const Allocator<U>&) {}
  void deallocate(pointer memory, std::size_t) noexcept { (void)cudaFree(memory.get()); }
};

// The same for what algorithms allocate for themselves.
struct Scratch {
  using value_type = char;
  char* allocate(std::ptrdiff_t bytes) {
    void* memory = nullptr;
    if (const cudaError_t error = cudaMalloc(&memory, static_cast<std::size_t>(bytes)); error != cudaSuccess) {
      throw std::runtime_error(cudaGetErrorString(error));
    }
    return static_cast<char*>(memory);
  }
  void deallocate(char* memory, std::size_t) noexcept { (void)cudaFree(memory); }
};
Scratch scratch;  // without a state
const auto on_device = thrust::cuda::par(scratch);

template <class T>
using Vector = thrust::device_vector<T, Allocator<T>>;
using Keys = Vector<std::uint64_t>;
using Candidates = Vector<std::uint32_t>;

struct KeyOf {
  __host__ __device__ std::uint64_t operator()(double value) const { return order_key(value); }
};

Keys keys_of(std::span<const double> values) {
  const Vector<double> there(values.begin(), values.end());
  Keys keys(values.size());
  thrust::transform(on_device, there.begin(), there.end(), keys.begin(), KeyOf{});
  return keys;
}

Candidates all_candidates(std::size_t count) {
  Candidates candidates(count);
  thrust::sequence(on_device, candidates.begin(), candidates.end());
  return candidates;
}

template <class Iterator>
std::vector<std::uint32_t> fetch(Iterator begin, Iterator end) {
  std::vector<std::uint32_t> here(static_cast<std::size_t>(end - begin));
  thrust::copy(begin, end, here.begin());
  return here;
}

std::vector<std::uint32_t> top_k(std::span<const double> cost, std::size_t k) {
  Keys keys = keys_of(cost);
  Candidates order = all_candidates(cost.size());
  thrust::stable_sort_by_key(on_device, keys.begin(), keys.end(), order.begin());
  return fetch(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(min_of(k, cost.size())));
}

using Ranked = thrust::tuple<std::uint64_t, std::uint32_t>;  // key, candidate

struct Better {
  __host__ __device__ Ranked operator()(const Ranked& a, const Ranked& b) const { return b < a ? b : a; }
};

// Not thrust::min_element, which takes a launch that failed for one that was made.
std::uint32_t argmin(std::span<const double> cost) {
  const Keys keys = keys_of(cost);
  const Candidates candidates = all_candidates(cost.size());
  const auto ranked = thrust::make_zip_iterator(thrust::make_tuple(keys.begin(), candidates.begin()));
  const Ranked worst{~std::uint64_t{0}, ~std::uint32_t{0}};
  return thrust::get<1>(thrust::reduce(on_device, ranked, ranked + static_cast<std::ptrdiff_t>(cost.size()), worst, Better{}));
}

std::vector<std::uint32_t> distinct(std::span<const std::uint64_t> key) {
  Keys keys(key.begin(), key.end());
  Candidates order = all_candidates(key.size());
  thrust::stable_sort_by_key(on_device, keys.begin(), keys.end(), order.begin());
  const auto end = thrust::unique_by_key(on_device, keys.begin(), keys.end(), order.begin()).second;
  thrust::sort(on_device, order.begin(), end);
  return fetch(order.begin(), end);
}

// Candidates in ascending order of all objectives, the first one deciding first: least significant key first, each sort stable.
Candidates sorted(const std::vector<Keys>& objectives) {
  Candidates order = all_candidates(objectives[0].size());
  Keys keys(order.size());
  for (auto objective = objectives.rbegin(); objective != objectives.rend(); ++objective) {
    thrust::gather(on_device, order.begin(), order.end(), objective->begin(), keys.begin());
    thrust::stable_sort_by_key(on_device, keys.begin(), keys.end(), order.begin());
  }
  return order;
}

struct Below {
  __host__ __device__ bool operator()(const thrust::tuple<std::uint64_t, std::uint64_t, std::uint32_t>& t) const {
    return thrust::get<2>(t) == 0 || thrust::get<0>(t) < thrust::get<1>(t);
  }
};

// In sorted order, a candidate is on the front if its second objective is below all earlier ones.
std::vector<std::uint32_t> front_of_two(const Candidates& order, const Keys& second) {
  const std::size_t count = order.size();
  Keys keys(count), best_before(count);
  thrust::gather(on_device, order.begin(), order.end(), second.begin(), keys.begin());
  thrust::exclusive_scan(on_device, keys.begin(), keys.end(), best_before.begin(), ~std::uint64_t{0},
                         thrust::minimum<std::uint64_t>());
  const Candidates position = all_candidates(count);
  const auto stencil = thrust::make_zip_iterator(thrust::make_tuple(keys.begin(), best_before.begin(), position.begin()));
  Candidates front(count);
  const auto end = thrust::copy_if(on_device, order.begin(), order.end(), stencil, front.begin(), Below{});
  thrust::sort(on_device, front.begin(), end);
  return fetch(front.begin(), end);
}

std::vector<std::uint32_t> pareto_front(std::span<const std::span<const double>> objectives) {
  if (objectives[0].empty()) return {};
  std::vector<Keys> keys;
  for (const auto& objective : objectives) keys.push_back(keys_of(objective));
  const Candidates order = sorted(keys);
  if (objectives.size() == 2) return front_of_two(order, keys[1]);
  // Sorting is most of the work; what remains is a walk along the sorted candidates.
  Staircase staircase;
  std::vector<std::uint32_t> front = fetch(order.begin(), order.end());
  std::erase_if(front, [&](std::uint32_t c) { return !staircase.add(order_key(objectives[1][c]), order_key(objectives[2][c])); });
  std::sort(front.begin(), front.end());
  return front;
}

std::vector<std::uint64_t> histogram(std::span<const double> value, std::span<const double> edges) {
  if (edges.empty()) return {};
  Keys keys = keys_of(value);
  thrust::sort(on_device, keys.begin(), keys.end());
  const Keys edge_keys = keys_of(edges);
  Keys below(edges.size());
  thrust::lower_bound(on_device, keys.begin(), keys.end(), edge_keys.begin(), edge_keys.end(), below.begin());
  std::vector<std::uint64_t> ranks(edges.size()), counts(edges.size() - 1);
  thrust::copy(below.begin(), below.end(), ranks.begin());
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = ranks[i + 1] - ranks[i];
  return counts;
}

// The function with what rank.hpp promises of its failures: Thrust reports device memory that is not to be had as std::bad_alloc,
// which is no std::runtime_error, and may leave an error on the runtime's record, which would be blamed on the next call.
template <auto kFunction, class... Arguments>
auto reported(Arguments... arguments) {
  std::string text;
  try {
    return kFunction(arguments...);
  } catch (const std::exception& error) {
    text = error.what();
  }
  (void)cudaGetLastError();
  throw std::runtime_error("CUDA: ranking failed: " + text + "; --backend cpu gives the same results");
}

}  // namespace

const Functions* cuda_functions() {
  static constexpr Functions kFunctions{reported<top_k>, reported<argmin>, reported<distinct>, reported<pareto_front>,
                                        reported<histogram>};
  return &kFunctions;
}

}  // namespace exarch::rank
