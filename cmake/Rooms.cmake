# The arrows between the parts of the house (docs/architecture.md, "Link targets"), enforced by include paths: every library has an
# include root of its own, in the build tree, with links to the rooms it owns and nothing else. A source sees the roots of what its
# target links, so that an include against the arrows does not compile.

# exarch_rooms(target scope room...): `scope` is PUBLIC, PRIVATE or INTERFACE; rooms are folders or headers, from the top of the
# source tree.
function(exarch_rooms target scope)
  set(root ${PROJECT_BINARY_DIR}/include/${target})
  foreach(room IN LISTS ARGN)
    get_filename_component(folder ${root}/${room} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    if(NOT EXISTS ${root}/${room})
      file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${room} ${root}/${room} SYMBOLIC)
    endif()
  endforeach()
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/exarch>)
  set_property(TARGET ${target} PROPERTY EXARCH_ROOMS ${ARGN})
endfunction()
