# cmake --install: library, headers, programs, recipes, and the package files for find_package(zoo).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/zoo)

install(TARGETS zoo EXPORT zooTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT zooTargets NAMESPACE zoo:: DESTINATION ${package_folder})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libzoo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/zoo)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/zoo)

# Every program below apps/.
function(zoo_install_programs folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
  endforeach()
  get_property(children DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(child IN LISTS children)
    zoo_install_programs(${child})
  endforeach()
endfunction()
if(ZOO_BUILD_APPS)
  zoo_install_programs(${PROJECT_SOURCE_DIR}/apps)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/third_party/cmake/zooConfig.cmake.in ${PROJECT_BINARY_DIR}/zooConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/zooConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/zooConfig.cmake ${PROJECT_BINARY_DIR}/zooConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/third_party/cmake/FindLibTorch.cmake
  DESTINATION ${package_folder})
