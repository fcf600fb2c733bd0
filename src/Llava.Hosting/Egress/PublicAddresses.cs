using System.Net;

namespace Llava.Hosting.Egress;

/// <summary>Which addresses belong to the public Internet, by IANA's special-purpose registries for IPv4 and IPv6.</summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] SpecialPurpose = Networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    // Of IPv6 only 2000::/3 is handed out; what is special inside it follows: Teredo and others, documentation, 6to4.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] SpecialPurpose6 = Networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20");

    /// <summary>Whether the address is public; one of IPv4 inside an IPv6 notation is judged as what it is.</summary>
    public static bool Contains(IPAddress address)
    {
        var plain = Plain(address);
        return plain.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? !Array.Exists(SpecialPurpose, network => network.Contains(plain))
            : GlobalUnicast.Contains(plain) && !Array.Exists(SpecialPurpose6, network => network.Contains(plain));
    }

    /// <summary>The address without IPv6 notation and scope.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new(address.GetAddressBytes());

    private static IPNetwork[] Networks(params string[] networks) => Array.ConvertAll(networks, IPNetwork.Parse);
}
