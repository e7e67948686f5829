// How calls of the CUDA runtime are checked. For files of builds with CUDA only.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "host/error.hpp"

namespace exarch {

// Reports a failed call with its text. Taking the error off the runtime's record keeps it from being blamed on the next call; an
// error that corrupted the context (an illegal access, say) comes back with every later call, and only a new process is rid of
// it.
inline void cuda_check(int code, const char* call) {
  if (code == cudaSuccess) return;
  const auto error = static_cast<cudaError_t>(code);
  (void)cudaGetLastError();
  throw Error("CUDA: " + std::string(call) + " failed: " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error) +
              "; --backend cpu gives the same results");
}

// The twin for destructors, which cannot report anything.
inline void cuda_ignore(int code) noexcept {
  if (code != cudaSuccess) (void)cudaGetLastError();
}

}  // namespace exarch

#define EXARCH_CUDA_TRY(call) ::exarch::cuda_check((call), #call)
