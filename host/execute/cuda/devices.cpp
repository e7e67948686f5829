#include "host/execute/cuda/devices.hpp"

#include <algorithm>
#include <exception>
#include <thread>

#include "kernels/launch/device.hpp"

namespace exarch {
namespace {

struct Found {
  std::vector<int> usable;  // ordinals
  std::string text;         // one line
};

std::string describe(const cudaDeviceProp& p) {
  return std::string(p.name) + " (sm_" + std::to_string(p.major) + std::to_string(p.minor) + ", " +
         std::to_string(p.multiProcessorCount) + " multiprocessors, " + std::to_string(p.totalGlobalMem >> 30) + " GiB)";
}

// Selects the device, so that the question also tells whether a context can be made on it.
int can_run(int ordinal) {
  if (const cudaError_t error = cudaSetDevice(ordinal); error != cudaSuccess) return error;
  return check_device();
}

Found find_devices() {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    (void)cudaGetLastError();
    int driver = 0;
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0) return {{}, "no NVIDIA driver is installed here"};
    return {{}, std::string("no CUDA device answers: ") + cudaGetErrorString(error)};
  }
  Found found;
  std::string names, refused;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties{};
    int error = cudaGetDeviceProperties(&properties, ordinal);
    if (error == cudaSuccess) error = can_run(ordinal);
    if (error != cudaSuccess) {
      (void)cudaGetLastError();
      refused +=
          (refused.empty() ? "" : ", ") + describe(properties) + ": " + cudaGetErrorString(static_cast<cudaError_t>(error));
      continue;
    }
    names += (names.empty() ? "" : ", ") + describe(properties);
    found.usable.push_back(ordinal);
  }
  if (found.usable.empty()) {
    found.text = refused.empty() ? "no CUDA device is present"
                                 : "no device can run this build, compiled for " EXARCH_CUDA_ARCHITECTURES ": " + refused;
  } else {
    found.text = std::to_string(found.usable.size()) + (found.usable.size() == 1 ? " device: " : " devices: ") + names;
  }
  return found;
}

const Found& found_devices() {
  static const Found kFound = find_devices();
  return kFound;
}

}  // namespace

CudaProbe probe_cuda() {
  return {!found_devices().usable.empty(), found_devices().text};
}

std::shared_ptr<CudaDevices> open_cuda_devices() {
  if (found_devices().usable.empty()) throw Error(found_devices().text);
  return std::make_shared<CudaDevices>(found_devices().usable);
}

CudaQueue::CudaQueue() {
  try {
    EXARCH_CUDA_TRY(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    EXARCH_CUDA_TRY(cudaEventCreateWithFlags(&marked_, cudaEventDisableTiming));
  } catch (...) {
    destroy();
    throw;
  }
}

CudaQueue::~CudaQueue() {
  destroy();
}

void CudaQueue::destroy() noexcept {
  for (const Side& side : side_) {
    if (side.joined != nullptr) cuda_ignore(cudaEventDestroy(side.joined));
    if (side.stream != nullptr) cuda_ignore(cudaStreamDestroy(side.stream));
  }
  if (marked_ != nullptr) cuda_ignore(cudaEventDestroy(marked_));
  if (stream_ != nullptr) cuda_ignore(cudaStreamDestroy(stream_));
}

cudaStream_t CudaQueue::fork(std::size_t i) {
  while (side_.size() <= i) side_.emplace_back();
  Side& side = side_[i];
  if (side.stream == nullptr) EXARCH_CUDA_TRY(cudaStreamCreateWithFlags(&side.stream, cudaStreamNonBlocking));
  if (side.joined == nullptr) EXARCH_CUDA_TRY(cudaEventCreateWithFlags(&side.joined, cudaEventDisableTiming));
  EXARCH_CUDA_TRY(cudaStreamWaitEvent(side.stream, marked_, 0));
  return side.stream;
}

void CudaQueue::join(std::size_t i) {
  EXARCH_CUDA_TRY(cudaEventRecord(side_[i].joined, side_[i].stream));
  EXARCH_CUDA_TRY(cudaStreamWaitEvent(stream_, side_[i].joined, 0));
}

void CudaQueue::drain() noexcept {
  cuda_ignore(cudaStreamSynchronize(stream_));
  for (const Side& side : side_) {
    if (side.stream != nullptr) cuda_ignore(cudaStreamSynchronize(side.stream));
  }
}

namespace {

// A new queue's streams belong to the thread's device.
std::size_t select_and_measure(int ordinal) {
  EXARCH_CUDA_TRY(cudaSetDevice(ordinal));
  std::size_t free = 0, total = 0;
  EXARCH_CUDA_TRY(cudaMemGetInfo(&free, &total));
  return free / 10 * 8 / CudaDevice::kQueues;
}

}  // namespace

CudaDevice::CudaDevice(int ordinal) : ordinal_(ordinal), queue_bytes_(select_and_measure(ordinal)) {
  EXARCH_CUDA_TRY(cudaDeviceGetAttribute(&major_, cudaDevAttrComputeCapabilityMajor, ordinal));
}

CudaDevices::CudaDevices(const std::vector<int>& ordinals) {
  for (const int ordinal : ordinals) devices_.push_back(std::make_unique<CudaDevice>(ordinal));
}

void CudaDevices::for_each_share(std::size_t count, const std::function<void(CudaDevice&, std::size_t, std::size_t)>& body) {
  const std::scoped_lock lock(mutex_);
  const std::size_t share = (count + size() - 1) / size();
  std::vector<std::exception_ptr> failures(size());
  const auto run_share = [&](std::size_t d) {
    const std::size_t first = std::min(d * share, count);
    const std::size_t candidates = std::min(share, count - first);
    if (candidates == 0) return;
    try {
      devices_[d]->use();
      body(*devices_[d], first, candidates);
    } catch (...) {
      failures[d] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t d = 1; d < size(); ++d) others.emplace_back(run_share, d);
    run_share(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace exarch
