using Llava.GpuConsumer.Models;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Llava.GpuConsumer.Tests.Models;

public sealed class ModelHealthTests
{
    private static readonly ModelStanding Ready = Standing(ModelState.Loaded, isTriedOut: true);
    private static readonly ModelStanding Loading = Standing(ModelState.Loading, isTriedOut: false);
    private static readonly ModelStanding Broken = Standing(ModelState.Failed, isTriedOut: false, "No weights.");
    private static readonly ModelStanding Stalled = Standing(ModelState.Failed, isTriedOut: true, "No step for 200 s.");
    private static readonly ModelStanding MadeWay = Standing(ModelState.Unloaded, isTriedOut: true);
    private static readonly ModelStanding OnDemand = Standing(ModelState.Unloaded, isTriedOut: false) with { IsPreloaded = false };

    public static TheoryData<HealthStatus, ModelStanding[]> Cases => new()
    {
        { HealthStatus.Healthy, [Ready] },
        { HealthStatus.Healthy, [Ready, MadeWay] },
        { HealthStatus.Healthy, [Ready, OnDemand] },
        { HealthStatus.Healthy, [OnDemand] },
        { HealthStatus.Unhealthy, [Ready, Loading] },
        { HealthStatus.Degraded, [Ready, Broken] },
        { HealthStatus.Unhealthy, [Loading, Broken] },
        { HealthStatus.Unhealthy, [Broken, Broken] },
        { HealthStatus.Unhealthy, [Ready, Stalled] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_consumer_is_as_healthy_as_its_models(HealthStatus status, ModelStanding[] standings) =>
        Assert.Equal(status, ModelHealth.Of(standings, isAnnounced: true).Status);

    [Fact]
    public void A_consumer_that_is_not_announced_is_not_ready() =>
        Assert.Equal(HealthStatus.Unhealthy, ModelHealth.Of([Ready], isAnnounced: false).Status);

    private static ModelStanding Standing(ModelState state, bool isTriedOut, string? failure = null) =>
        new(new("m", "r1", 8, state, 100, failure), IsPreloaded: true, isTriedOut, Trial: null);
}
