# zoo_room(NAME USES room... [TORCH] SOURCES file... [CUDA_SOURCES file.cu...] [LIBRARIES target...])
#
# A folder of libzoo is a room: an object library that becomes part of zoo::zoo. USES names the rooms whose headers
# it may include; test/architecture reads the same list and holds the #include lines against it. A room without TORCH
# is compiled without LibTorch in reach. CUDA_SOURCES are compiled in CUDA builds only, and the whole room then with
# ZOO_HAS_CUDA defined; LibTorch's headers are slow in nvcc, so keep them out of .cu files (raw pointers in, launch out).
set_property(GLOBAL PROPERTY ZOO_ROOMS "")

function(zoo_room name)
  cmake_parse_arguments(room "TORCH" "" "USES;SOURCES;CUDA_SOURCES;LIBRARIES" ${ARGN})
  add_library(zoo_${name} OBJECT ${room_SOURCES})
  target_include_directories(zoo_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(zoo_${name} PUBLIC zoo_base ${room_LIBRARIES})
  if(room_TORCH)
    target_link_libraries(zoo_${name} PUBLIC Torch::torch)
    zoo_use_precompiled_torch(zoo_${name})
  endif()
  if(room_CUDA_SOURCES AND ZOO_WITH_CUDA)
    target_sources(zoo_${name} PRIVATE ${room_CUDA_SOURCES})
    target_link_libraries(zoo_${name} PRIVATE zoo_cuda)
    set_property(GLOBAL APPEND PROPERTY ZOO_ROOM_LIBRARIES ${ZOO_CUDA_RUNTIME})
  endif()
  set_property(GLOBAL APPEND PROPERTY ZOO_ROOMS ${name})
  set_property(GLOBAL PROPERTY ZOO_ROOM_${name}_USES "${room_USES}")
  set_property(GLOBAL PROPERTY ZOO_ROOM_${name}_TORCH "${room_TORCH}")
  set_property(GLOBAL APPEND PROPERTY ZOO_ROOM_LIBRARIES ${room_LIBRARIES})
endfunction()

# zoo_kernels(file...): sources with hot loops, compiled with -O3 and without the precompiled header.
function(zoo_kernels)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-O3;-fno-math-errno;-fno-trapping-math")
endfunction()

# The one precompiled header: LibTorch as the rooms use it. A file that includes less still compiles faster with it.
# Named in brackets, so that the file CMake generates holds no absolute path and ccache serves it to every clone.
add_library(zoo_precompiled_torch OBJECT ${PROJECT_SOURCE_DIR}/third_party/cmake/precompiled_torch.cpp)
target_link_libraries(zoo_precompiled_torch PUBLIC zoo_base Torch::torch)
target_include_directories(zoo_precompiled_torch PRIVATE ${PROJECT_SOURCE_DIR})
target_precompile_headers(zoo_precompiled_torch PRIVATE <third_party/cmake/precompiled_torch.h>)

function(zoo_use_precompiled_torch target)
  target_precompile_headers(${target} REUSE_FROM zoo_precompiled_torch)
endfunction()
