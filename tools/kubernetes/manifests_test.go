// Package kubernetes checks the manifests in deploy/kubernetes without a cluster: by
// the types of the API, and by the code with which its server enforces the Pod Security
// Standards. It is a module of its own, since no program needs that.
package kubernetes

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// objects reads a file as the API server would, but takes no field that it does not
// know, and none twice.
func objects(t *testing.T, file string) []runtime.Object {
	t.Helper()
	text, err := os.ReadFile("../../deploy/kubernetes/" + file)
	require.NoError(t, err)
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var all []runtime.Object
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		o, _, err := decoder.Decode(doc, nil, nil)
		require.NoError(t, err, "%s: %s", file, doc)
		all = append(all, o)
	}
	return all
}

// pods are the Pods that a file's objects make, by name.
func pods(objects []runtime.Object) map[string]corev1.PodTemplateSpec {
	all := make(map[string]corev1.PodTemplateSpec)
	for _, o := range objects {
		switch o := o.(type) {
		case *appsv1.StatefulSet:
			all[o.Name] = o.Spec.Template
		case *appsv1.DaemonSet:
			all[o.Name] = o.Spec.Template
		}
	}
	return all
}

// violations are what the strictest of the standards has against a Pod.
func violations(t *testing.T, pod corev1.PodTemplateSpec) []string {
	t.Helper()
	e, err := policy.NewEvaluator(policy.DefaultChecks())
	require.NoError(t, err)
	var all []string
	for _, r := range e.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
		if !r.Allowed {
			all = append(all, r.ForbiddenReason)
		}
	}
	return all
}

// TestRestricted: nothing is asked for but, where it is the point, the host's network.
func TestRestricted(t *testing.T) {
	for name, pod := range pods(objects(t, "sidecar.yaml")) {
		require.Empty(t, violations(t, pod), name)
	}
	all := pods(objects(t, "daemonset.yaml"))
	require.Len(t, all, 2)
	for name, pod := range all {
		require.ElementsMatch(t, []string{"host namespaces", "hostPort"}, violations(t, pod), name)
	}
}

// TestWrongIsSeen: the checks above can fail.
func TestWrongIsSeen(t *testing.T) {
	pod := pods(objects(t, "sidecar.yaml"))["erlang"]
	pod.Spec.SecurityContext = nil
	require.NotEmpty(t, violations(t, pod))
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	_, _, err := decoder.Decode([]byte("apiVersion: v1\nkind: Service\nspec: {cluserIP: None}\n"), nil, nil)
	require.ErrorContains(t, err, "cluserIP")
}

// TestFit: what one object says of another is so.
func TestFit(t *testing.T) {
	for _, file := range []string{"sidecar.yaml", "daemonset.yaml"} {
		all := objects(t, file)
		secrets := make(map[string]map[string]string)
		for _, o := range all {
			if s, ok := o.(*corev1.Secret); ok {
				secrets[s.Name] = s.StringData
			}
		}
		for name, pod := range pods(all) {
			volumes := make(map[string]bool)
			for _, v := range pod.Spec.Volumes {
				volumes[v.Name] = true
			}
			for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				require.False(t, c.Resources.Limits.Memory().IsZero(), c.Name)
				require.NotEmpty(t, c.Resources.Requests, c.Name)
				for _, e := range c.Env {
					if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
						r := e.ValueFrom.SecretKeyRef
						require.Contains(t, secrets[r.Name], r.Key, "%s: %s", file, name)
					}
				}
				for _, v := range c.VolumeMounts {
					require.True(t, volumes[v.Name], "%s: %s: %s", file, name, v.Name)
				}
			}
		}
		for _, o := range all {
			switch o := o.(type) {
			case *appsv1.StatefulSet:
				require.Equal(t, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
			case *appsv1.DaemonSet:
				require.Equal(t, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
			case *corev1.Service:
				require.Equal(t, corev1.ClusterIPNone, o.Spec.ClusterIP)
				pod := pods(all)[o.Name]
				require.Equal(t, o.Spec.Selector, pod.Labels)
				ports := make(map[string]int32)
				for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
					for _, p := range c.Ports {
						ports[p.Name] = p.ContainerPort
					}
				}
				for _, p := range o.Spec.Ports {
					require.Equal(t, p.Port, ports[p.TargetPort.String()], p.Name)
				}
			}
		}
	}
}

// TestProbes: each EPMD is asked by its own program, as the image has it.
func TestProbes(t *testing.T) {
	seen := 0
	for _, file := range []string{"sidecar.yaml", "daemonset.yaml"} {
		for _, pod := range pods(objects(t, file)) {
			for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				if !strings.HasPrefix(c.Image, "goepmd/epmd") {
					continue
				}
				seen++
				for _, p := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe} {
					require.Equal(t, []string{"/epmd", "-started"}, p.Exec.Command)
				}
			}
		}
	}
	require.Equal(t, 2, seen)
}
