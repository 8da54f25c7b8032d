package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
	cloudprovider "k8s.io/cloud-provider"
)

func parsePool(text string) (addressPool, error) {
	from, to, _ := strings.Cut(text, "-")
	first, err := netip.ParseAddr(from)
	if err != nil {
		return addressPool{}, fmt.Errorf("cannot read address range %q: %w", text, err)
	}
	last, err := netip.ParseAddr(to)
	if err != nil {
		return addressPool{}, fmt.Errorf("cannot read address range %q: %w", text, err)
	}
	if first.BitLen() != last.BitLen() || last.Less(first) {
		return addressPool{}, fmt.Errorf("cannot use address range %q: it is empty", text)
	}
	return addressPool{first: first, last: last}, nil
}

// balancer hands out one address per service. There is nothing to set up behind an address:
// kube-proxy sends what arrives for it to the service's pods. A service keeps the address that its
// status shows, so a restart of this program moves nothing.
type balancer struct {
	pool     addressPool
	services corelisters.ServiceLister

	mutex sync.Mutex
	// given holds addresses that the lister may not show yet.
	given map[types.UID]netip.Addr
}

func newBalancer(pool addressPool, services corelisters.ServiceLister) *balancer {
	return &balancer{pool: pool, services: services, given: map[types.UID]netip.Addr{}}
}

func (b *balancer) EnsureLoadBalancer(_ context.Context, _ string, service *v1.Service, _ []*v1.Node) (*v1.LoadBalancerStatus, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	address, err := b.choose(service)
	if err != nil {
		return nil, err
	}
	b.given[service.UID] = address
	return &v1.LoadBalancerStatus{Ingress: []v1.LoadBalancerIngress{{IP: address.String()}}}, nil
}

func (b *balancer) choose(service *v1.Service) (netip.Addr, error) {
	taken, err := b.takenByOthers(service.UID)
	if err != nil {
		return netip.Addr{}, err
	}
	if wanted := service.Spec.LoadBalancerIP; wanted != "" {
		return chooseWanted(wanted, taken)
	}
	if current, ok := b.given[service.UID]; ok {
		return current, nil
	}
	if current, ok := currentAddress(service); ok && !taken[current] {
		return current, nil
	}
	for address := b.pool.first; !b.pool.last.Less(address); address = address.Next() {
		if !taken[address] {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("cannot give service %q an address: all of %s-%s are taken", service.Name, b.pool.first, b.pool.last)
}

func chooseWanted(wanted string, taken map[netip.Addr]bool) (netip.Addr, error) {
	address, err := netip.ParseAddr(wanted)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("cannot read loadBalancerIP %q: %w", wanted, err)
	}
	if taken[address] {
		return netip.Addr{}, fmt.Errorf("cannot give address %s: another service has it", address)
	}
	return address, nil
}

func (b *balancer) takenByOthers(own types.UID) (map[netip.Addr]bool, error) {
	services, err := b.services.List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("cannot list services: %w", err)
	}
	taken := map[netip.Addr]bool{}
	for _, other := range services {
		if address, ok := currentAddress(other); ok && other.UID != own {
			taken[address] = true
		}
	}
	for uid, address := range b.given {
		if uid != own {
			taken[address] = true
		}
	}
	return taken, nil
}

func currentAddress(service *v1.Service) (netip.Addr, bool) {
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if address, err := netip.ParseAddr(ingress.IP); err == nil {
			return address, true
		}
	}
	return netip.Addr{}, false
}

func (b *balancer) GetLoadBalancer(_ context.Context, _ string, service *v1.Service) (*v1.LoadBalancerStatus, bool, error) {
	_, exists := currentAddress(service)
	return &service.Status.LoadBalancer, exists, nil
}

func (b *balancer) GetLoadBalancerName(_ context.Context, _ string, service *v1.Service) string {
	return cloudprovider.DefaultLoadBalancerName(service)
}

func (b *balancer) UpdateLoadBalancer(context.Context, string, *v1.Service, []*v1.Node) error {
	return nil
}

func (b *balancer) EnsureLoadBalancerDeleted(_ context.Context, _ string, service *v1.Service) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.given, service.UID)
	return nil
}

// provider is a cloud that knows load balancers and nothing else.
type provider struct {
	balancer *balancer
}

func (p *provider) Initialize(cloudprovider.ControllerClientBuilder, <-chan struct{}) {}
func (p *provider) LoadBalancer() (cloudprovider.LoadBalancer, bool)                  { return p.balancer, true }
func (p *provider) Instances() (cloudprovider.Instances, bool)                        { return nil, false }
func (p *provider) InstancesV2() (cloudprovider.InstancesV2, bool)                    { return nil, false }
func (p *provider) Zones() (cloudprovider.Zones, bool)                                { return nil, false }
func (p *provider) Clusters() (cloudprovider.Clusters, bool)                          { return nil, false }
func (p *provider) Routes() (cloudprovider.Routes, bool)                              { return nil, false }
func (p *provider) ProviderName() string                                              { return "local-cloud" }
func (p *provider) HasClusterID() bool                                                { return true }
