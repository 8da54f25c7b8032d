module local-cloud/pause

go 1.21
