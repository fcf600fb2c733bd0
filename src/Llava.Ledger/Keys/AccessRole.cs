namespace Llava.Ledger.Keys;

/// <summary>What the holder of a key may do; each role may also do what those before it may.</summary>
public enum AccessRole
{
    /// <summary>Reads the jobs and results of its tenant.</summary>
    Viewer,

    /// <summary>Submits and controls jobs of its tenant.</summary>
    Operator,

    /// <summary>Everything, for every tenant.</summary>
    Admin,
}

/// <summary>Roles by name.</summary>
public static class AccessRoles
{
    /// <summary>Every role as it is spelled in the ledger and on the command line.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<AccessRole>().Select(WireName)];

    /// <summary>How the role is spelled.</summary>
    public static string WireName(this AccessRole role) => role.ToString().ToLowerInvariant();

    /// <summary>The role spelled <paramref name="name"/>.</summary>
    internal static AccessRole Parse(string name) => Enum.Parse<AccessRole>(name, ignoreCase: true);
}
