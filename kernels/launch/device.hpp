// The current CUDA device, whatever model runs on it; without a CUDA type. Builds with CUDA only.
#pragma once

namespace exarch {

// 0 if the current device can run what this build was compiled for, else the CUDA runtime's error.
[[nodiscard]] int check_device() noexcept;

}  // namespace exarch
