Feature: The final authorization is made once
  Whatever races or repeats there are, one payment is finalised by one call.

  @AP-25
  Scenario: It is made once, though webhook and customer come together
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    And the customer comes back to the Partner
    Then the acquirer makes exactly one final authorize
