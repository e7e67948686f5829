// A build without CUDA.
#include "kernels/rank/rank.hpp"

namespace exarch::rank {

const Functions* cuda_functions() {
  return nullptr;
}

}  // namespace exarch::rank
