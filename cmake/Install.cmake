# What `cmake --install` puts in place: the program, its data, and the library with its headers for find_package(exarch).
# docs/library.md says how to use it.
include(CMakePackageConfigHelpers)

install(DIRECTORY traces/dram traces/maestro traces/timeloop DESTINATION ${CMAKE_INSTALL_DATADIR}/exarch)
install(FILES host/plugin/exarch_plugin.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# A program links exarch::run; the others come with it.
set(libraries exarch_core exarch_kernels exarch_launch exarch_rank exarch_error exarch_files exarch_space exarch_agents exarch_host
    exarch_study exarch_run)
if(EXARCH_CUDA)
  list(APPEND libraries exarch_launch_cuda)
endif()
foreach(library IN LISTS libraries)
  string(REPLACE exarch_ "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
  get_target_property(rooms ${library} EXARCH_ROOMS)
  if(NOT rooms)
    continue()
  endif()
  foreach(room IN LISTS rooms)
    get_filename_component(folder ${room} DIRECTORY)
    if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${room})
      install(DIRECTORY ${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/exarch/${folder} FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
    else()
      install(FILES ${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/exarch/${folder})
    endif()
  endforeach()
endforeach()
# The last two are what the others were compiled with: of no use to a program, but named in the export.
install(TARGETS ${libraries} exarch_flags exarch_tomlplusplus EXPORT exarch ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(config ${CMAKE_INSTALL_LIBDIR}/cmake/exarch)
install(EXPORT exarch NAMESPACE exarch:: FILE exarchTargets.cmake DESTINATION ${config})
configure_package_config_file(cmake/exarchConfig.cmake.in ${PROJECT_BINARY_DIR}/exarchConfig.cmake INSTALL_DESTINATION ${config})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/exarchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/exarchConfig.cmake ${PROJECT_BINARY_DIR}/exarchConfigVersion.cmake DESTINATION ${config})
