using Llava.Testing;

namespace Llava.DistributedTests;

/// <summary>One broker for all tests of this project that do not stop it; each has a virtual host of its own.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    public RabbitServer Broker { get; private set; } = null!;

    public async Task InitializeAsync() => Broker = await RabbitServer.CreateAsync();

    public async Task DisposeAsync() => await Broker.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class BrokerCollection : ICollectionFixture<BrokerFixture>
{
    public const string Name = "broker";
}
