module local-cloud/toolchain

go 1.19
