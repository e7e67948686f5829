#include "host/execute/devices.hpp"

#include <algorithm>
#include <exception>
#include <thread>

namespace exarch {
namespace {

struct Found {
  std::vector<int> usable;  // ordinals
  std::string text;         // one line
};

std::string describe(const DeviceProperties& p) {
  return std::string(p.name) + " (sm_" + std::to_string(p.major) + std::to_string(p.minor) + ", " +
         std::to_string(p.multiprocessors) + " multiprocessors, " + std::to_string(p.bytes >> 30) + " GiB)";
}

// Selects the device, so that the question also tells whether a context can be made on it.
int can_run(const DeviceRuntime& cuda, int ordinal) {
  const int code = cuda.use(ordinal);
  return code == kDeviceGood ? cuda.check() : code;
}

Found find_devices() {
  if (cuda_runtime() == nullptr) return {{}, "this build has no CUDA backend: configure with -DEXARCH_CUDA=ON"};
  const DeviceRuntime& cuda = *cuda_runtime();
  int count = 0;
  if (const int code = cuda.count(count); code != kDeviceGood) {
    cuda.forget_error();
    if (!cuda.has_driver()) return {{}, "no NVIDIA driver is installed here"};
    return {{}, std::string("no CUDA device answers: ") + cuda.error_text(code)};
  }
  Found found;
  std::string names, refused;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    DeviceProperties properties{};
    int code = cuda.describe(ordinal, properties);
    if (code == kDeviceGood) code = can_run(cuda, ordinal);
    if (code != kDeviceGood) {
      cuda.forget_error();
      refused += (refused.empty() ? "" : ", ") + describe(properties) + ": " + cuda.error_text(code);
      continue;
    }
    names += (names.empty() ? "" : ", ") + describe(properties);
    found.usable.push_back(ordinal);
  }
  if (found.usable.empty()) {
    found.text = refused.empty()
                     ? "no CUDA device is present"
                     : std::string("no device can run this build, compiled for ") + cuda.architectures() + ": " + refused;
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

std::shared_ptr<Devices> open_cuda_devices() {
  if (found_devices().usable.empty()) throw Error(found_devices().text);
  return std::make_shared<Devices>(*cuda_runtime(), found_devices().usable);
}

DeviceQueue::DeviceQueue(const DeviceRuntime& runtime) : runtime_(runtime) {
  try {
    check(runtime_.create_stream(stream_), "making a stream");
    check(runtime_.create_event(marked_), "making an event");
  } catch (...) {
    destroy();
    throw;
  }
}

DeviceQueue::~DeviceQueue() {
  destroy();
}

void DeviceQueue::destroy() noexcept {
  for (const Side& side : side_) {
    if (side.joined != nullptr) device_ignore(runtime_, runtime_.destroy_event(side.joined));
    if (side.stream != nullptr) device_ignore(runtime_, runtime_.destroy_stream(side.stream));
  }
  if (marked_ != nullptr) device_ignore(runtime_, runtime_.destroy_event(marked_));
  if (stream_ != nullptr) device_ignore(runtime_, runtime_.destroy_stream(stream_));
}

void DeviceQueue::copy_to(const DeviceBuffer& to, const void* from, std::size_t bytes) {
  check(runtime_.copy(to.as(), from, bytes, Copy::to_device, stream_), "copying to the device");
}

void DeviceQueue::copy_from(const DeviceBuffer& from, void* to, std::size_t bytes) {
  check(runtime_.copy(to, from.as(), bytes, Copy::from_device, stream_), "copying from the device");
}

void* DeviceQueue::fork(std::size_t i) {
  while (side_.size() <= i) side_.emplace_back();
  Side& side = side_[i];
  if (side.stream == nullptr) check(runtime_.create_stream(side.stream), "making a stream");
  if (side.joined == nullptr) check(runtime_.create_event(side.joined), "making an event");
  check(runtime_.let_wait(side.stream, marked_), "forking a stream");
  return side.stream;
}

void DeviceQueue::join(std::size_t i) {
  check(runtime_.record(side_[i].joined, side_[i].stream), "marking a stream");
  check(runtime_.let_wait(stream_, side_[i].joined), "joining streams");
}

void DeviceQueue::drain() noexcept {
  device_ignore(runtime_, runtime_.wait_for_stream(stream_));
  for (const Side& side : side_) {
    if (side.stream != nullptr) device_ignore(runtime_, runtime_.wait_for_stream(side.stream));
  }
}

namespace {

// A new queue's streams belong to the thread's device.
std::size_t select_and_measure(const DeviceRuntime& runtime, int ordinal) {
  device_check(runtime, runtime.use(ordinal), "selecting a device");
  std::size_t free = 0;
  device_check(runtime, runtime.free_bytes(free), "asking for free memory");
  return free / 10 * 8 / Device::kQueues;
}

}  // namespace

Device::Device(const DeviceRuntime& runtime, int ordinal)
    : runtime_(runtime),
      ordinal_(ordinal),
      queue_bytes_(select_and_measure(runtime, ordinal)),
      queues_{DeviceQueue(runtime), DeviceQueue(runtime)} {
  DeviceProperties properties{};
  device_check(runtime_, runtime_.describe(ordinal, properties), "describing a device");
  major_ = properties.major;
}

Devices::Devices(const DeviceRuntime& runtime, const std::vector<int>& ordinals) {
  for (const int ordinal : ordinals) devices_.push_back(std::make_unique<Device>(runtime, ordinal));
}

void Devices::for_each_share(std::size_t count, const std::function<void(Device&, std::size_t, std::size_t)>& body) {
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
