# cmake --install: library, headers, programs, recipes, and the package files for find_package(zoo).
