#include "host/execute/executor.hpp"

namespace exarch {

const rank::Functions& Executor::ranking(std::size_t /*candidates*/) {
  return rank::cpu_functions();
}

}  // namespace exarch
