package main

import (
	"context"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func serviceWith(name, wanted, current string) *v1.Service {
	service := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name)}}
	service.Spec.LoadBalancerIP = wanted
	if current != "" {
		service.Status.LoadBalancer.Ingress = []v1.LoadBalancerIngress{{IP: current}}
	}
	return service
}

func balancerFor(t *testing.T, pool string, services ...*v1.Service) *balancer {
	t.Helper()
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, service := range services {
		if err := store.Add(service); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := parsePool(pool)
	if err != nil {
		t.Fatal(err)
	}
	return newBalancer(parsed, corelisters.NewServiceLister(store))
}

func ensure(b *balancer, service *v1.Service) (string, error) {
	status, err := b.EnsureLoadBalancer(context.Background(), "", service, nil)
	if err != nil {
		return "", err
	}
	return status.Ingress[0].IP, nil
}

func TestAServiceGetsAnAddressOfItsOwn(t *testing.T) {
	for _, row := range []struct {
		summary string
		service *v1.Service
		others  []*v1.Service
		want    string
		problem string
	}{
		{summary: "the first free one", service: serviceWith("new", "", ""), want: "192.0.2.64"},
		{
			summary: "not one that another service shows",
			service: serviceWith("new", "", ""),
			others:  []*v1.Service{serviceWith("a", "", "192.0.2.64")},
			want:    "192.0.2.65",
		},
		{
			summary: "the one that it has already",
			service: serviceWith("old", "", "192.0.2.65"),
			others:  []*v1.Service{serviceWith("old", "", "192.0.2.65")},
			want:    "192.0.2.65",
		},
		{summary: "the one that it asks for", service: serviceWith("new", "192.0.2.10", ""), want: "192.0.2.10"},
		{
			summary: "none when it asks for one that is taken",
			service: serviceWith("new", "192.0.2.64", ""),
			others:  []*v1.Service{serviceWith("a", "", "192.0.2.64")},
			problem: "another service has it",
		},
		{
			summary: "none when all are taken",
			service: serviceWith("new", "", ""),
			others:  []*v1.Service{serviceWith("a", "", "192.0.2.64"), serviceWith("b", "", "192.0.2.65")},
			problem: "are taken",
		},
	} {
		t.Run(row.summary, func(t *testing.T) {
			got, err := ensure(balancerFor(t, "192.0.2.64-192.0.2.65", row.others...), row.service)

			if row.problem != "" {
				if err == nil || !strings.Contains(err.Error(), row.problem) {
					t.Fatalf("got %q, %v; want a problem with %q", got, err, row.problem)
				}
				return
			}
			if err != nil || got != row.want {
				t.Fatalf("got %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

func TestAnAddressIsKeptUntilItsServiceIsGone(t *testing.T) {
	b := balancerFor(t, "192.0.2.64-192.0.2.64")
	first, second := serviceWith("first", "", ""), serviceWith("second", "", "")

	if got, err := ensure(b, first); err != nil || got != "192.0.2.64" {
		t.Fatalf("first got %q, %v", got, err)
	}
	if got, err := ensure(b, first); err != nil || got != "192.0.2.64" {
		t.Fatalf("first got %q, %v when asked again", got, err)
	}
	if got, err := ensure(b, second); err == nil {
		t.Fatalf("second got %q although first has it", got)
	}
	if err := b.EnsureLoadBalancerDeleted(context.Background(), "", first); err != nil {
		t.Fatal(err)
	}
	if got, err := ensure(b, second); err != nil || got != "192.0.2.64" {
		t.Fatalf("second got %q, %v after first was gone", got, err)
	}
}

func TestARangeThatHoldsNothingIsRefused(t *testing.T) {
	for _, text := range []string{"", "192.0.2.1", "192.0.2.9-192.0.2.1", "192.0.2.1-::1", "a-b"} {
		if _, err := parsePool(text); err == nil {
			t.Errorf("range %q was accepted", text)
		}
	}
}
