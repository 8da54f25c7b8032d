package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// directoryVolumes keeps each volume in a folder of its own, directly below root; images.go is about
// those of a limited size. The folder is
// made for root alone to write in, like the file system of a fresh disk; Kubernetes then gives it
// to the pod's group where the pod asks for that.
type directoryVolumes struct {
	root string
	node string
}

// Provision makes the folder. Doing it again for the same volume changes nothing.
func (d *directoryVolumes) Provision(_ context.Context, options controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if options.PVC.Spec.Selector != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("cannot make a volume for a claim with a selector")
	}
	folder := filepath.Join(d.root, options.PVName)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("cannot make volume %q: %w", options.PVName, err)
	}
	if options.StorageClass.Parameters[sizeParameter] == sizeEnforced {
		size := options.PVC.Spec.Resources.Requests[v1.ResourceStorage]
		if err := mountImage(folder, size.Value()); err != nil {
			return nil, controller.ProvisioningFinished, fmt.Errorf("cannot make volume %q: %w", options.PVName, err)
		}
	}
	return d.describe(options, folder), controller.ProvisioningFinished, nil
}

func (d *directoryVolumes) describe(options controller.ProvisionOptions, folder string) *v1.PersistentVolume {
	reclaim := v1.PersistentVolumeReclaimDelete
	if options.StorageClass.ReclaimPolicy != nil {
		reclaim = *options.StorageClass.ReclaimPolicy
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   options.PVC.Spec.AccessModes,
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			Capacity: v1.ResourceList{
				v1.ResourceStorage: options.PVC.Spec.Resources.Requests[v1.ResourceStorage],
			},
			PersistentVolumeSource: v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: folder}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{d.node},
				}}}},
			}},
		},
	}
}

// Delete removes the folder with everything in it; a folder that is gone already is fine.
func (d *directoryVolumes) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	local := volume.Spec.Local
	if local == nil || filepath.Clean(local.Path) != filepath.Join(d.root, volume.Name) {
		return fmt.Errorf("cannot delete volume %q: its folder is not one of this provisioner", volume.Name)
	}
	if err := removeImage(local.Path); err != nil {
		return fmt.Errorf("cannot delete volume %q: %w", volume.Name, err)
	}
	if err := os.RemoveAll(local.Path); err != nil {
		return fmt.Errorf("cannot delete volume %q: %w", volume.Name, err)
	}
	return nil
}
