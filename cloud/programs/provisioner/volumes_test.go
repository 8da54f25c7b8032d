package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func optionsFor(name string, reclaim v1.PersistentVolumeReclaimPolicy) controller.ProvisionOptions {
	claim := &v1.PersistentVolumeClaim{}
	claim.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
	claim.Spec.Resources.Requests = v1.ResourceList{v1.ResourceStorage: resource.MustParse("1Gi")}
	return controller.ProvisionOptions{
		PVName:       name,
		PVC:          claim,
		StorageClass: &storagev1.StorageClass{ReclaimPolicy: &reclaim},
	}
}

func TestAVolumeIsAFolderThatGoesAwayWithIt(t *testing.T) {
	ctx := context.Background()
	volumes := &directoryVolumes{root: t.TempDir(), node: "node0"}

	volume, _, err := volumes.Provision(ctx, optionsFor("pvc-1", v1.PersistentVolumeReclaimDelete))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(volumes.root, "pvc-1")
	if volume.Spec.Local.Path != folder {
		t.Fatalf("the volume is at %q, want %q", volume.Spec.Local.Path, folder)
	}
	if err := os.WriteFile(filepath.Join(folder, "data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := volumes.Provision(ctx, optionsFor("pvc-1", v1.PersistentVolumeReclaimDelete)); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if err := volumes.Delete(ctx, volume); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Fatalf("the folder is still there: %v", err)
	}
	if err := volumes.Delete(ctx, volume); err != nil {
		t.Fatalf("deleting a second time: %v", err)
	}
}

func TestAVolumeKeepsThePolicyOfItsClass(t *testing.T) {
	volumes := &directoryVolumes{root: t.TempDir(), node: "node0"}

	volume, _, err := volumes.Provision(context.Background(), optionsFor("pvc-1", v1.PersistentVolumeReclaimRetain))

	if err != nil || volume.Spec.PersistentVolumeReclaimPolicy != v1.PersistentVolumeReclaimRetain {
		t.Fatalf("got %v, %v", volume, err)
	}
}

func TestAFolderThatIsNotOursIsLeftAlone(t *testing.T) {
	foreign := t.TempDir()
	volumes := &directoryVolumes{root: t.TempDir(), node: "node0"}
	volume := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-1"}}
	volume.Spec.Local = &v1.LocalVolumeSource{Path: foreign}

	if err := volumes.Delete(context.Background(), volume); err == nil {
		t.Fatal("a folder outside was accepted")
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Fatalf("the folder is gone: %v", err)
	}
}

func TestAVolumeOfAnEnforcedSizeIsFullWhenItsClaimIs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	ctx := context.Background()
	volumes := &directoryVolumes{root: t.TempDir(), node: "node0"}
	options := optionsFor("pvc-1", v1.PersistentVolumeReclaimDelete)
	options.StorageClass.Parameters = map[string]string{sizeParameter: sizeEnforced}
	options.PVC.Spec.Resources.Requests[v1.ResourceStorage] = resource.MustParse("64Mi")

	volume, _, err := volumes.Provision(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	folder := volume.Spec.Local.Path
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Fatalf("not empty: %v, %v", entries, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "most"), make([]byte, 40<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(filepath.Join(folder, "more"), make([]byte, 30<<20), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want ENOSPC", err)
	}

	// As after the end of a node, and the start of another.
	if err := syscall.Unmount(folder, 0); err != nil {
		t.Fatal(err)
	}
	if err := mountImages(volumes.root); err != nil {
		t.Fatal(err)
	}
	if facts, err := os.Stat(filepath.Join(folder, "most")); err != nil || facts.Size() != 40<<20 {
		t.Fatalf("what was written is not there: %v", err)
	}
	if _, _, err := volumes.Provision(ctx, options); err != nil {
		t.Fatalf("a second time: %v", err)
	}

	for _, attempt := range []string{"once", "twice"} {
		if err := volumes.Delete(ctx, volume); err != nil {
			t.Fatalf("%s: %v", attempt, err)
		}
	}
	if left, err := os.ReadDir(volumes.root); err != nil || len(left) != 0 {
		t.Fatalf("left over: %v, %v", left, err)
	}
}
