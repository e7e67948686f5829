# Flags every target of this project shares; link `exarch_flags` (it is PRIVATE to our own targets).
add_library(exarch_flags INTERFACE)
target_compile_options(exarch_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off>)
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
