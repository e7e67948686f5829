# Flags every target of this project shares; link `exarch_flags` (it is PRIVATE to our own targets).
add_library(exarch_flags INTERFACE)
target_compile_options(exarch_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off>)
# GCC 12 warns of overlapping copies inside the standard library's "literal" + std::string at -O3, where there are none (GCC bug
# 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(exarch_flags INTERFACE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-Wno-restrict>)
endif()
if(EXARCH_WERROR)
  target_compile_options(exarch_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(EXARCH_SANITIZE)
  target_compile_options(exarch_flags INTERFACE -fsanitize=${EXARCH_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(exarch_flags INTERFACE -fsanitize=${EXARCH_SANITIZE})
endif()
# The kernels are a few functions of many thousand lines, inlined. With clang their checks are calls, and AddressSanitizer's alone: a
# file takes more than seven minutes otherwise. Builds for ThreadSanitizer check them for undefined behaviour, and them alone: the two
# sanitizers do not go together where there are virtual functions.
set(EXARCH_KERNEL_FLAGS "")
if(EXARCH_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(EXARCH_KERNEL_FLAGS -fno-sanitize=undefined,fuzzer-no-link -mllvm -asan-instrumentation-with-call-threshold=0)
elseif(EXARCH_SANITIZE MATCHES "thread")
  set(EXARCH_KERNEL_FLAGS -fsanitize=undefined)
  target_link_options(exarch_flags INTERFACE -fsanitize=undefined)
endif()
if(EXARCH_COVERAGE)
  target_compile_options(exarch_flags INTERFACE --coverage)
  target_link_options(exarch_flags INTERFACE --coverage)
endif()
