namespace Llava.Hosting.Transport;

/// <summary>The queue that tells consumers of training runs.</summary>
public static class TrainingQueue
{
    /// <summary>Name of the queue and of its exchange.</summary>
    public const string Name = "llava.training";

    /// <summary>Address to send to.</summary>
    public static Uri Address { get; } = new($"exchange:{Name}");
}
