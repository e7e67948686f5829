# exarch_embed(target file...): texts that are part of a program. Generates a source that defines
# embedded_files() of tools/exarch/embedded.hpp.
function(exarch_embed target)
  set(generated ${PROJECT_BINARY_DIR}/embedded/${target}.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${ARGN}" -DOUTPUT=${generated} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
