package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// A volume of a class with this parameter is no larger than its claim: a file system in an image of
// that size, mounted at the volume's folder. The image takes space only for what is written. Mounts and
// loop devices belong to the node: they go when the node does, however it ends.
const (
	sizeParameter = "size"
	sizeEnforced  = "enforced"
	imageSuffix   = ".img"
)

// mountImage makes the image unless it is there, and mounts it unless it is mounted.
func mountImage(folder string, size int64) error {
	image := folder + imageSuffix
	if _, err := os.Stat(image); os.IsNotExist(err) {
		if err := makeImage(image, size); err != nil {
			return err
		}
	}
	mounted, err := isMountPoint(folder)
	if err != nil || mounted {
		return err
	}
	if err := runProgram("mount", "-o", "loop", image, folder); err != nil {
		return err
	}
	// Not every program takes a folder with something in it for an empty one.
	if err := os.Remove(filepath.Join(folder, "lost+found")); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// makeImage leaves no half-made image under its final name.
func makeImage(image string, size int64) error {
	draft := image + ".new"
	if err := os.WriteFile(draft, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(draft, size); err != nil {
		return err
	}
	if err := runProgram("mkfs.ext4", "-q", "-m", "0", draft); err != nil {
		return err
	}
	return os.Rename(draft, image)
}

// removeImage unmounts and removes the image of a volume, if it has one.
func removeImage(folder string) error {
	mounted, err := isMountPoint(folder)
	if err != nil {
		return err
	}
	if mounted {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("cannot unmount %q: %w", folder, err)
		}
	}
	if err := os.Remove(folder + imageSuffix); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// mountImages mounts what an earlier provisioner made and a new node does not have mounted.
func mountImages(root string) error {
	images, err := filepath.Glob(filepath.Join(root, "*"+imageSuffix))
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := mountImage(strings.TrimSuffix(image, imageSuffix), 0); err != nil {
			return err
		}
	}
	return nil
}

func isMountPoint(folder string) (bool, error) {
	var inside, outside syscall.Stat_t
	if err := syscall.Stat(folder, &inside); os.IsNotExist(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("cannot look at %q: %w", folder, err)
	}
	if err := syscall.Stat(filepath.Dir(folder), &outside); err != nil {
		return false, fmt.Errorf("cannot look at %q: %w", filepath.Dir(folder), err)
	}
	return inside.Dev != outside.Dev, nil
}

func runProgram(program string, arguments ...string) error {
	output, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run %s: %w: %s", program, err, strings.TrimSpace(string(output)))
	}
	return nil
}
