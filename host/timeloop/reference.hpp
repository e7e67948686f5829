// Timeloop's dense model a second time, slowly, and written in another way than the kernel. Tests compare both.
//
// Deliveries are lists of boxes here, which are cut, moved and compared one by one; the kernel has formulas for them. Example:
//
//   const Status status = evaluate_reference(input, FillRule::current, counters, price, fault);
#pragma once

#include "kernels/timeloop/price.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

// Counts and prices of an input; with another status than ok, `fault` says what is wrong. The reference does not look for counts
// beyond kLargestCount: for inputs whose status is a limit of Exarch its results have no meaning.
[[nodiscard]] Status evaluate_reference(const Input& input, FillRule rule, Counters& counters, Price& price, Fault& fault);

}  // namespace exarch::timeloop
