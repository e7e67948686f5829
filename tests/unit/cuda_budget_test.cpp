// What ptxas says of every CUDA kernel against kernels/launch/budgets.txt. Needs no device: the figures are in the build's
// logs.
#include <cxxabi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/ptxas_log.hpp"

namespace {

using Kernel = exarch::testing::PtxasKernel;

struct Budget {
  std::string line;
  std::vector<std::string> words;  // all of which a kernel's name contains
  unsigned registers = 0, stack = 0, spills = 0;
  bool used = false;
};

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
}

// Kernels of this project in all logs, by their readable names; those of CUB are its own business.
std::vector<Kernel> read_logs() {
  std::vector<Kernel> kernels = exarch::testing::ptxas_kernels(EXARCH_CUDA_LOGS);
  for (Kernel& kernel : kernels) kernel.name = demangled(kernel.name);
  std::erase_if(kernels, [](const Kernel& kernel) { return kernel.name.find("exarch::") >= kernel.name.find("cub::"); });
  return kernels;
}

std::vector<Budget> read_budgets() {
  std::ifstream in(std::string(EXARCH_SOURCE_DIR) + "/kernels/launch/budgets.txt");
  std::vector<Budget> budgets;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    Budget budget;
    budget.line = line;
    std::istringstream words(line);
    std::string word;
    words >> budget.registers >> budget.stack >> budget.spills;
    while (words >> word) budget.words.push_back(word);
    budgets.push_back(budget);
  }
  return budgets;
}

bool matches(const Budget& budget, const Kernel& kernel) {
  for (const std::string& word : budget.words) {
    if (kernel.name.find(word) == std::string::npos) return false;
  }
  return true;
}

TEST(CudaBudget, EveryKernelKeepsItsRegistersStackAndSpills) {
  std::vector<Budget> budgets = read_budgets();
  const std::vector<Kernel> kernels = read_logs();
  ASSERT_FALSE(kernels.empty()) << "no kernel is mentioned in the logs of " EXARCH_CUDA_LOGS
                                   "; build the target exarch_launch_cuda";
  for (const Kernel& kernel : kernels) {
    Budget* found = nullptr;
    for (Budget& budget : budgets) {
      if (found == nullptr && matches(budget, kernel)) found = &budget;
    }
    if (found == nullptr) {
      ADD_FAILURE() << kernel.name << " has no line in kernels/launch/budgets.txt";
      continue;
    }
    found->used = true;
    const std::string where = kernel.name + " for " + kernel.architecture + ", budget: " + found->line;
    EXPECT_LE(kernel.registers, found->registers) << where;
    EXPECT_LE(kernel.stack, found->stack) << where;
    EXPECT_LE(kernel.spills, found->spills) << where;
  }
  for (const Budget& budget : budgets) EXPECT_TRUE(budget.used) << "no kernel is meant by: " << budget.line;
}

}  // namespace
