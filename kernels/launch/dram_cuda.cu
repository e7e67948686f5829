// Binning and the choice of a kernel's instantiation; the kernels themselves are in dram_cuda_policy.cu.
#include <cub/device/device_radix_sort.cuh>
#include <new>

#include "kernels/launch/dram_device.hpp"
#include "kernels/launch/dram_policies.cuh"

namespace exarch::dram {

static_assert(static_cast<std::uint32_t>(Choice::row_hit_grouped) < 3);

template <>
cudaError_t launch_policy<0, Kernel::dense>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<1, Kernel::dense>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<2, Kernel::dense>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<3, Kernel::dense>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<0, Kernel::lanes>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<1, Kernel::lanes>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<2, Kernel::lanes>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<3, Kernel::lanes>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<0, Kernel::exact>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<1, Kernel::exact>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<2, Kernel::exact>(const DeviceBatch&, Choice, const LaunchShape&);
template <>
cudaError_t launch_policy<3, Kernel::exact>(const DeviceBatch&, Choice, const LaunchShape&);

namespace {

constexpr std::uint32_t kKeyBlock = 256;

// Budget: 32 registers, no stack.
__global__ void __launch_bounds__(kKeyBlock)
    sort_key_kernel(const ControllerParams* __restrict__ params, bool has_writes, std::uint32_t count,
                    std::uint8_t* __restrict__ keys, std::uint32_t* __restrict__ candidates) {
  const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const ControllerParams p = params[i];
  const std::uint32_t bin =
      bin_of(static_cast<std::uint32_t>(p.page_policy), static_cast<std::uint32_t>(choice_of(p, has_writes)));
  const std::uint32_t detail = static_cast<std::uint32_t>(p.arbiter) << 2 | static_cast<std::uint32_t>(p.resp_queue) << 1 |
                               static_cast<std::uint32_t>(p.refresh_policy);
  keys[i] = static_cast<std::uint8_t>(bin << 4 | detail);
  candidates[i] = i;
}

// cub::DeviceRadixSort::SortPairs. An exception would be let through by CUB and is an error code here.
cudaError_t sort_pairs(void* space, std::size_t& bytes, const std::uint8_t* keys, std::uint8_t* sorted_keys,
                       const std::uint32_t* candidates, std::uint32_t* order, std::uint32_t count, cudaStream_t stream) noexcept {
  try {
    return cub::DeviceRadixSort::SortPairs(space, bytes, keys, sorted_keys, candidates, order, static_cast<int>(count), 0,
                                           kSortKeyBits, stream);
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  } catch (...) {
    return cudaErrorUnknown;
  }
}

// sort_into_bins()'s space: keys in, keys out, candidates in, CUB's own.
struct SortSpace {
  std::size_t keys, candidates, cub;
};

cudaError_t sort_space(std::uint32_t count, SortSpace& space) noexcept {
  const auto rounded = [](std::size_t bytes) { return (bytes + 255) / 256 * 256; };
  std::size_t cub = 0;
  const cudaError_t error = sort_pairs(nullptr, cub, nullptr, nullptr, nullptr, nullptr, count, nullptr);
  space = {rounded(count), rounded(count * sizeof(std::uint32_t)), rounded(cub)};
  return error;
}

template <int kPagePolicy>
cudaError_t launch_kernel(const DeviceBatch& batch, Choice choice, Kernel kernel, const LaunchShape& shape) {
  switch (kernel) {
    case Kernel::dense:
      return launch_policy<kPagePolicy, Kernel::dense>(batch, choice, shape);
    case Kernel::lanes:
      return launch_policy<kPagePolicy, Kernel::lanes>(batch, choice, shape);
    case Kernel::exact:
      break;
  }
  return launch_policy<kPagePolicy, Kernel::exact>(batch, choice, shape);
}

std::uint32_t bin_of_params(const ControllerParams& params, bool has_writes) noexcept {
  return bin_of(static_cast<std::uint32_t>(params.page_policy), static_cast<std::uint32_t>(choice_of(params, has_writes)));
}

std::size_t state_bytes(bool exact) noexcept {
  return exact ? kExactState : kDenseState;
}

int sort_bytes(std::uint32_t count, std::size_t& bytes) noexcept {
  SortSpace space{};
  if (const cudaError_t error = sort_space(count, space); error != cudaSuccess) return error;
  bytes = 2 * space.keys + space.candidates + space.cub;
  return cudaSuccess;
}

int sort_into_bins(const DeviceBatch& batch, std::uint32_t* order, std::uint32_t count, std::byte* space, void* stream) noexcept {
  SortSpace bytes{};
  if (const cudaError_t error = sort_space(count, bytes); error != cudaSuccess) return error;
  auto* keys = reinterpret_cast<std::uint8_t*>(space);
  auto* sorted_keys = keys + bytes.keys;
  auto* candidates = reinterpret_cast<std::uint32_t*>(space + 2 * bytes.keys);
  std::byte* cub_space = space + 2 * bytes.keys + bytes.candidates;
  const auto cuda_stream = static_cast<cudaStream_t>(stream);
  sort_key_kernel<<<(count + kKeyBlock - 1) / kKeyBlock, kKeyBlock, 0, cuda_stream>>>(batch.params, batch.workload.has_writes,
                                                                                      count, keys, candidates);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;
  return sort_pairs(cub_space, bytes.cub, keys, sorted_keys, candidates, order, count, cuda_stream);
}

int launch_bin(const DeviceBatch& batch, std::uint32_t bin, Kernel kernel, std::uint32_t first, std::uint32_t count,
               std::uint32_t block, void* stream) noexcept {
  const auto choice = static_cast<Choice>(bin % 3);
  const LaunchShape shape{first, count, block, static_cast<cudaStream_t>(stream)};
  switch (bin / 3) {
    case 0:
      return launch_kernel<0>(batch, choice, kernel, shape);
    case 1:
      return launch_kernel<1>(batch, choice, kernel, shape);
    case 2:
      return launch_kernel<2>(batch, choice, kernel, shape);
    default:
      return launch_kernel<3>(batch, choice, kernel, shape);
  }
}

}  // namespace

const DeviceKernels* cuda_kernels() noexcept {
  static constexpr DeviceKernels kKernels{state_bytes, bin_of_params, sort_bytes, sort_into_bins, launch_bin, launch_mixed};
  return &kKernels;
}

}  // namespace exarch::dram
