using System.Security.Cryptography;
using Llava.Hosting.Processes;

namespace Llava.GpuConsumer.Workers;

/// <summary>Who this worker is: owner of its leases, never the same twice.</summary>
internal sealed class WorkerIdentity
{
    public string Id { get; } = $"{ThisProcess.Host}-{ThisProcess.Id}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
}
