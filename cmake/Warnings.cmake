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
if(EXARCH_COVERAGE)
  target_compile_options(exarch_flags INTERFACE --coverage)
  target_link_options(exarch_flags INTERFACE --coverage)
endif()
