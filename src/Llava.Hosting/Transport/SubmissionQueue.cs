namespace Llava.Hosting.Transport;

/// <summary>The queue that takes jobs from producers that speak to the broker.</summary>
public static class SubmissionQueue
{
    /// <summary>Name of the queue and of its exchange.</summary>
    public const string Name = "llava.jobs";

    /// <summary>Address to send to.</summary>
    public static Uri Address { get; } = new($"exchange:{Name}");
}
