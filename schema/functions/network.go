package functions

import (
	"errors"
	"math/big"
	"net/netip"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// networkFunctions are Terraform's and OpenTofu's functions on networks.
func networkFunctions() map[string]function.Function {
	network := param("network", cty.String)
	parts := function.Parameter{Name: "bits", Type: cty.Number}
	return map[string]function.Function{
		"cidrcontains": whollyKnownFunction(cty.Bool, cidrContains, network, param("part", cty.String)),
		"cidrhost":     whollyKnownFunction(cty.String, cidrHost, network, param("number", cty.Number)),
		"cidrnetmask":  whollyKnownFunction(cty.String, cidrNetmask, network),
		"cidrsubnet":   whollyKnownFunction(cty.String, cidrSubnet, network, param("bits", cty.Number), param("number", cty.Number)),
		"cidrsubnets": function.New(&function.Spec{
			Params: []function.Parameter{network}, VarParam: &parts, Type: function.StaticReturnType(cty.List(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return cidrSubnets(args) },
		}),
	}
}

// parseNetwork reads a network such as 10.1.0.0/16, without what its address says of
// a host. Zeros before a number are passed over, as by Terraform.
func parseNetwork(v cty.Value, arg int) (netip.Prefix, error) {
	address, bits, _ := strings.Cut(v.AsString(), "/")
	p, err := netip.ParsePrefix(withoutLeadingZeros(address) + "/" + withoutLeadingZeros(bits))
	if err != nil {
		return p, function.NewArgErrorf(arg, "a network like 10.0.0.0/8 or fd00::/48 is needed")
	}
	return p.Masked(), nil
}

// withoutLeadingZeros takes the zeros off that stand before the decimal numbers in an
// address: 010.001.0.0 is 10.1.0.0.
func withoutLeadingZeros(address string) string {
	head, tail := "", address
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		head, tail = address[:i+1], address[i+1:]
		if !strings.Contains(tail, ".") {
			return address
		}
	}
	parts := strings.Split(tail, ".")
	for i, part := range parts {
		if short := strings.TrimLeft(part, "0"); short != "" {
			parts[i] = short
		} else if part != "" {
			parts[i] = "0"
		}
	}
	return head + strings.Join(parts, ".")
}

// wholeNumber is a whole number. One that no address can be is refused before all its
// digits are made, which can be more than there is memory.
func wholeNumber(v cty.Value, arg int) (*big.Int, error) {
	if f := v.AsBigFloat(); f.IsInt() && f.MantExp(nil) <= 2*128 {
		n, _ := f.Int(nil)
		return n, nil
	}
	return nil, function.NewArgErrorf(arg, "a whole number of at most 2^128 is needed")
}

// powerOfTwo is 2 to the power of bits.
func powerOfTwo(bits int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(bits)) }

// hostBits is how many bits of its addresses a network leaves open.
func hostBits(p netip.Prefix) int { return p.Addr().BitLen() - p.Bits() }

// addressAt is the address so far from the beginning of a network, which must hold it.
func addressAt(p netip.Prefix, offset *big.Int) netip.Addr {
	n := new(big.Int).SetBytes(p.Addr().AsSlice())
	out, _ := netip.AddrFromSlice(n.Add(n, offset).FillBytes(make([]byte, p.Addr().BitLen()/8)))
	return out
}

// cidrHost is one address of a network; below 0 it counts from the end.
func cidrHost(args []cty.Value) (cty.Value, error) {
	p, err := parseNetwork(args[0], 0)
	if err != nil {
		return cty.NilVal, err
	}
	n, err := wholeNumber(args[1], 1)
	if err != nil {
		return cty.NilVal, err
	}
	all := powerOfTwo(hostBits(p))
	if n.Sign() < 0 {
		n.Add(n, all)
	}
	if n.Sign() < 0 || n.Cmp(all) >= 0 {
		return cty.NilVal, function.NewArgErrorf(1, "the network %s has no address of that number, only %s", p, all)
	}
	return cty.StringVal(addressAt(p, n).String()), nil
}

func cidrNetmask(args []cty.Value) (cty.Value, error) {
	p, err := parseNetwork(args[0], 0)
	if err != nil {
		return cty.NilVal, err
	}
	if !p.Addr().Is4() {
		return cty.NilVal, function.NewArgErrorf(0, "an IPv4 network like 10.0.0.0/8 is needed; IPv6 networks have no mask")
	}
	ones := netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), p.Bits())
	return cty.StringVal(ones.Masked().Addr().String()), nil
}

// extendedPrefixLength is how many bits the parts of a network have when so many are added.
func extendedPrefixLength(p netip.Prefix, bits cty.Value, arg, least int) (int, error) {
	n, err := wholeNumber(bits, arg)
	if err != nil {
		return 0, err
	}
	if n.Cmp(big.NewInt(int64(least))) < 0 || n.Cmp(big.NewInt(int64(hostBits(p)))) > 0 {
		return 0, function.NewArgErrorf(arg, "a number from %d to %d is needed, since the network %s leaves that many bits open",
			least, hostBits(p), p)
	}
	return p.Bits() + int(n.Int64()), nil
}

func cidrSubnet(args []cty.Value) (cty.Value, error) {
	p, err := parseNetwork(args[0], 0)
	if err != nil {
		return cty.NilVal, err
	}
	bits, err := extendedPrefixLength(p, args[1], 1, 0)
	if err != nil {
		return cty.NilVal, err
	}
	n, err := wholeNumber(args[2], 2)
	if err != nil {
		return cty.NilVal, err
	}
	if parts := powerOfTwo(bits - p.Bits()); n.Sign() < 0 || n.Cmp(parts) >= 0 {
		return cty.NilVal, function.NewArgErrorf(2, "a number from 0 to %s is needed: the network %s has %s parts of that size",
			new(big.Int).Sub(parts, big.NewInt(1)), p, parts)
	}
	first := addressAt(p, n.Lsh(n, uint(p.Addr().BitLen()-bits)))
	return cty.StringVal(netip.PrefixFrom(first, bits).String()), nil
}

// cidrSubnets cuts parts off a network, one behind the other.
func cidrSubnets(args []cty.Value) (cty.Value, error) {
	p, err := parseNetwork(args[0], 0)
	if err != nil {
		return cty.NilVal, err
	}
	var parts []cty.Value
	end := new(big.Int) // of the parts so far
	for i, arg := range args[1:] {
		bits, err := extendedPrefixLength(p, arg, i+1, 1)
		if err != nil {
			return cty.NilVal, err
		}
		part := powerOfTwo(p.Addr().BitLen() - bits)
		start := new(big.Int).Add(end, new(big.Int).Sub(part, big.NewInt(1)))
		start.Sub(start, new(big.Int).Mod(start, part)) // a part begins at a multiple of its size
		if end.Add(start, part); end.Cmp(powerOfTwo(hostBits(p))) > 0 {
			return cty.NilVal, function.NewArgErrorf(i+1, "the network %s has no room left for a part with /%d", p, bits)
		}
		parts = append(parts, cty.StringVal(netip.PrefixFrom(addressAt(p, start), bits).String()))
	}
	if len(parts) == 0 {
		return cty.ListValEmpty(cty.String), nil
	}
	return cty.ListVal(parts), nil
}

// cidrContains reports whether an address or a whole network lies in a network.
func cidrContains(args []cty.Value) (cty.Value, error) {
	outer, err := parseNetwork(args[0], 0)
	if err != nil {
		return cty.NilVal, err
	}
	inner, err := parseNetwork(args[1], 1)
	if err != nil {
		addr, err := netip.ParseAddr(withoutLeadingZeros(args[1].AsString()))
		if err != nil || addr.Zone() != "" {
			return cty.NilVal, function.NewArgErrorf(1, "an address like 10.1.2.3 or a network like 10.1.0.0/16 is needed")
		}
		inner = netip.PrefixFrom(addr, addr.BitLen())
	}
	if inner.Addr().Is4() != outer.Addr().Is4() {
		return cty.NilVal, errors.New("an IPv4 and an IPv6 address cannot be compared")
	}
	return cty.BoolVal(outer.Contains(inner.Addr()) && outer.Bits() <= inner.Bits()), nil
}
