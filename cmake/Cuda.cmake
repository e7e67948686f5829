# nvcc. CMake 3.25 knows no flag for C++20 with the newest toolkits and adds -std=c++17, so nvcc is called directly. Devices newer than
# the last architecture named are served from its PTX.
set(EXARCH_CUDA_FLAGS -std=c++20 -O3 --expt-relaxed-constexpr -Werror all-warnings)
foreach(architecture IN LISTS EXARCH_CUDA_ARCHITECTURES)
  list(APPEND EXARCH_CUDA_FLAGS -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()
if(EXARCH_CUDA_PTX)
  list(GET EXARCH_CUDA_ARCHITECTURES -1 last)
  list(APPEND EXARCH_CUDA_FLAGS -gencode arch=compute_${last},code=compute_${last})
endif()
# The tests of device code read the PTX out of the objects, and name source lines.
if(EXARCH_DEVICE_TESTS)
  list(APPEND EXARCH_CUDA_FLAGS -lineinfo --no-compress)
endif()

# exarch_cuda_object(name source flags...): compiles a source to NAME.o in the current binary folder, and appends it to cuda_objects.
# What ptxas reports of registers, stack and spills stays in NAME.log, for the test of budgets.
function(exarch_cuda_object name source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(
    OUTPUT ${object} ${CMAKE_CURRENT_BINARY_DIR}/${name}.log
    COMMAND ${CMAKE_COMMAND} -DLOG=${CMAKE_CURRENT_BINARY_DIR}/${name}.log -P ${PROJECT_SOURCE_DIR}/cmake/RunLogged.cmake --
            ${EXARCH_CCACHE_COMMAND} ${CUDAToolkit_NVCC_EXECUTABLE} ${EXARCH_CUDA_FLAGS} -Xptxas -v -DEXARCH_ISA=cuda ${ARGN}
            -I${PROJECT_SOURCE_DIR} -MD -MF ${object}.d -c -o ${object} ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${object}.d
    DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/RunLogged.cmake
    COMMENT "Compiling ${name} for ${EXARCH_CUDA_ARCHITECTURES}"
    VERBATIM)
  set(cuda_objects ${cuda_objects} ${object} PARENT_SCOPE)
endfunction()
