using System.Globalization;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>How long the tests run that look for what only many steps show: a few seconds, or as many steps as LLAVA_SOAK_STEPS says.</summary>
internal static class Soak
{
    private static readonly string? Asked = Environment.GetEnvironmentVariable("LLAVA_SOAK_STEPS");

    /// <summary>Whether the long form was asked for.</summary>
    public static bool IsLong => Asked is { Length: > 0 };

    /// <summary>Steps to run.</summary>
    /// <param name="quick">Without being asked for more.</param>
    public static int Steps(int quick) => IsLong ? int.Parse(Asked!, CultureInfo.InvariantCulture) : quick;
}
