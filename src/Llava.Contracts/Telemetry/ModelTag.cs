namespace Llava.Contracts.Telemetry;

/// <summary>What metrics and spans call a model.</summary>
public static class ModelTag
{
    /// <summary>The model's name; of one named by its folder the last part, because paths say where things lie and change between machines.</summary>
    public static string Of(string model) => Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
}
