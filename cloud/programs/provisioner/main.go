// Command provisioner is the cloud provider of the local cloud. It runs beside Kubernetes on the
// node and does the two things that Kubernetes leaves to a provider: it makes and removes volumes
// (volumes.go) and it gives services of type LoadBalancer their addresses (addresses.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/cloud-provider/controllers/service"
	"k8s.io/component-base/featuregate"
	"k8s.io/component-base/metrics/prometheus/controllers"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	provisionerName = "local-cloud/directory"
	resyncPeriod    = 10 * time.Minute
)

type settings struct {
	kubeconfig string
	node       string
	volumes    string
	addresses  string
}

func main() {
	klog.InitFlags(nil)
	var given settings
	flag.StringVar(&given.kubeconfig, "kubeconfig", "", "how to reach the API server")
	flag.StringVar(&given.node, "node", "", "name of the node that this program runs on")
	flag.StringVar(&given.volumes, "volumes", "", "folder that holds one folder per volume")
	flag.StringVar(&given.addresses, "addresses", "", "first and last address for load balancers, as FIRST-LAST")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, given); err != nil {
		fmt.Fprintf(os.Stderr, "provisioner: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, given settings) error {
	pool, err := parsePool(given.addresses)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(given.volumes, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of volumes: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", given.kubeconfig)
	if err != nil {
		return fmt.Errorf("cannot read kubeconfig %q: %w", given.kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("cannot make a Kubernetes client: %w", err)
	}
	if err := startAddresses(ctx, client, pool); err != nil {
		return err
	}
	if err := mountImages(given.volumes); err != nil {
		return fmt.Errorf("cannot mount the volumes of an earlier run: %w", err)
	}
	volumes := &directoryVolumes{root: given.volumes, node: given.node}
	controller.NewProvisionController(ctx, client, provisionerName, volumes, controller.LeaderElection(false)).Run(ctx)
	return nil
}

func startAddresses(ctx context.Context, client kubernetes.Interface, pool addressPool) error {
	shared := informers.NewSharedInformerFactory(client, resyncPeriod)
	services := shared.Core().V1().Services()
	provider := &provider{balancer: newBalancer(pool, services.Lister())}
	balancers, err := service.New(provider, client, services, shared.Core().V1().Nodes(), "local-cloud", featuregate.NewFeatureGate())
	if err != nil {
		return fmt.Errorf("cannot make the service controller: %w", err)
	}
	shared.Start(ctx.Done())
	go balancers.Run(ctx, 1, controllers.NewControllerManagerMetrics("provisioner"))
	return nil
}

// addressPool is the inclusive range that load balancers get their addresses from.
type addressPool struct {
	first, last netip.Addr
}
