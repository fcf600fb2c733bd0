namespace Llava.Cli;

/// <summary>What the process returns, the same for every command.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    public const int SomeItemsFailed = 1;

    public const int Usage = 2;

    public const int CannotReachOrLoad = 3;
}
