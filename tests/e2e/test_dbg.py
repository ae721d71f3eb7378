from datetime import *
import asyncio, time
from tests.e2e.test_in_flight import *
from duecourse.engine import virtual_time
async def test_dbg(empty_house):
    house=empty_house
    async with house.workers("loans"):
        await house.start(due=DUE, ladder=ladder(rung("remind",-3,life_days=3), notice("notice",2,"sms")))
        t=await house.to_just_before_next()
        print("ROW acts", t)
        async def p(): return await house.pending_attempt()==1
        await until(p,"x")
        try:
            a=await virtual_time.fast_forward(house.client, house.workflow_id(), morning(DUE), patience=timedelta(seconds=5))
            print("ROW", a)
        except Exception as e: print("ROW", repr(e))
        for r in house.rows(): print("ROW", r)
        print("ROW", await house.status())
    async with house.workers():
        await asyncio.sleep(3)
        for r in house.rows(): print("ROW", r)
        print("ROW", await virtual_time.virtual_now(house.client, house.workflow_id()))
    assert 0
